"""What every metric declares: a number that is measured on a set of images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from prunectl.base.text import amount, percent
from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required

if TYPE_CHECKING:
    from torch import Tensor


Part = Literal["test", "validation", "train"]
"""The images that a metric is measured on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """How differences between two values in a unit are shown, and how large they can be."""

    name: str
    """What differences are counted in: 'points'."""
    factor: float
    """What a difference is multiplied by to be counted in that."""
    digits: int
    """Decimals shown."""
    largest: float
    """The largest size that a difference can have."""


UNITS: Mapping[str, Unit] = {
    "fraction": Unit(name="points", factor=100, digits=2, largest=1.0),
    "nats": Unit(name="nats", factor=1, digits=4, largest=math.inf),
}
"""The units of metrics."""


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
    part: ClassVar[Part] = "test"
    """The images that it is measured on. A study measures those of "validation" where it holds images out of training,
    and those of "train" where it asks for that; elsewhere the column is null.
    """
    swept: ClassVar[bool] = False
    """Whether it is a number of an arm's whole sweep, computed from its trials: then it is no column of the table and
    is measured on no images, and claims about it have no sparsity.
    """

    @classmethod
    def differences(cls) -> Unit:
        """How differences are shown. A unit that is not known is shown as it is."""
        return UNITS.get(cls.unit, Unit(name=cls.unit, factor=1, digits=4, largest=math.inf))

    @classmethod
    def difference(cls, value: float, *, unit: bool = True) -> str:
        """A difference or a margin for people, with its sign: '+0.50 points', '−0.0312 nats'."""
        shown = cls.differences()
        text = amount(value * shown.factor, shown.digits, sign=True)
        return f"{text} {shown.name}" if unit else text

    @classmethod
    def shown(cls, value: float) -> str:
        """A value for people: '93.10 %', '0.2310'."""
        return percent(value, 2) if cls.unit == "fraction" else f"{value:.4f}"

    @classmethod
    def gain(cls, value: float, other: float) -> float:
        """value − other, with the sign turned where low is better: positive if `value` is the better one."""
        return value - other if cls.better == "high" else other - value

    @classmethod
    def chance(cls, classes: int) -> float | None:
        """The value of a network that guesses, with equally many images of each class; None where it is not known."""
        return None

    @required
    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """What one batch adds: a tensor of any shape, of logits (N, classes) and labels (N,). No gradient."""
        raise NotImplementedError

    @required
    def value(self, total: Tensor, count: int) -> float:
        """The metric of `count` images, from the sum over all batches (float64, on the CPU)."""
        raise NotImplementedError
