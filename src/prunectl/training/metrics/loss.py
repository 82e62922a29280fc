"""The cross-entropy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from prunectl.catalog.metric import Metric

if TYPE_CHECKING:
    from torch import Tensor


class Loss(Metric):
    """The mean cross-entropy between the softmax of the logits and the labels, in nats."""

    name = "loss"
    summary = "the mean cross-entropy"
    head = "loss"
    title = "loss"
    unit = "nats"
    better = "low"

    @classmethod
    def chance(cls, classes: int) -> float:
        """ln C: every class with the same probability."""
        return math.log(classes)

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The sum of the cross-entropies, ()."""
        from torch.nn import functional

        return functional.cross_entropy(logits, labels, reduction="sum")

    def value(self, total: Tensor, count: int) -> float:
        """The sum / all images."""
        return float(total) / count
