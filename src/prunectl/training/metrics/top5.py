"""Top-5 accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.metric import Metric

if TYPE_CHECKING:
    from torch import Tensor


class Top5(Metric):
    """The fraction of images whose label is among the five highest logits, or among all of fewer classes."""

    name = "top5"
    summary = "the fraction of images whose label is ranked among the first five"
    head = "top-5"
    title = "top-5 accuracy"
    unit = "fraction"
    better = "high"

    @classmethod
    def chance(cls, classes: int) -> float:
        """5/C, or 1 with at most five classes."""
        return min(5, classes) / classes

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The number of right images, ()."""
        return hits(logits, labels).sum()

    def value(self, total: Tensor, count: int) -> float:
        """Right images / all images."""
        return float(total) / count


def hits(logits: Tensor, labels: Tensor) -> Tensor:
    """Whether the label has rank 1 to 5: bool (N, min(5, classes)), True at most once in a row.

    Top-1 accuracy is its first column, so that equal logits are ranked in the same way for both.
    """
    return logits.topk(min(5, logits.shape[1]), dim=1).indices == labels[:, None]
