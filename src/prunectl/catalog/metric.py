"""What every metric declares: a number that is measured on a set of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required

if TYPE_CHECKING:
    from torch import Tensor


class Metric(Entry):
    """An entry of the metrics: a column of the table under its name, and what claims may be about."""

    head: ClassVar[str]
    """What the head of a column calls it: 'top-1'."""
    title: ClassVar[str]
    """What charts and sentences call it: 'top-1 accuracy'."""
    unit: ClassVar[Literal["fraction", "nats"]]
    """A fraction lies in [0, 1], is shown in percent, and differs by percentage points."""
    better: ClassVar[Literal["high", "low"]]
    """Which end is better."""

    @required
    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """What one batch adds: a tensor of any shape, of logits (N, classes) and labels (N,). No gradient."""
        raise NotImplementedError

    @required
    def value(self, total: Tensor, count: int) -> float:
        """The metric of `count` images, from the sum over all batches (float64, on the CPU)."""
        raise NotImplementedError
