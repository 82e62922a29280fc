"""Top-1 accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.metric import Metric
from prunectl.training.metrics.top5 import hits

if TYPE_CHECKING:
    from torch import Tensor


class Top1(Metric):
    """The fraction of images whose label has the highest logit: correct / total, never a mean of batch means."""

    name = "top1"
    summary = "the fraction of images whose label is ranked first"
    head = "top-1"
    title = "top-1 accuracy"
    unit = "fraction"
    better = "high"

    @classmethod
    def chance(cls, classes: int) -> float:
        """1/C."""
        return 1 / classes

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The number of right images, ()."""
        return hits(logits, labels)[:, 0].sum()

    def value(self, total: Tensor, count: int) -> float:
        """Right images / all images."""
        return float(total) / count
