"""The highest matching sparsity of an arm, with one seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.metric import Metric

if TYPE_CHECKING:
    from torch import Tensor


class MatchingSparsity(Metric):
    """The highest sparsity at which a seed's networks are as accurate as its dense network, up to a margin, at it and
    at every lower sparsity of the sweep; 0 if they are not at the lowest (Frankle et al. 2021, section 1).

    `results/matched.py` computes it from the trials. Nothing is measured for it.
    """

    name = "matching_sparsity"
    summary = "the highest sparsity up to which an arm matches the dense network; for claims alone"
    head = "matching"
    title = "matching sparsity"
    unit = "fraction"
    better = "high"
    swept = True

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Refused: it is not measured on images."""
        raise TypeError(f"{self.title} is computed from the trials of a sweep, not from images")

    def value(self, total: Tensor, count: int) -> float:
        """Refused: it is not measured on images."""
        raise TypeError(f"{self.title} is computed from the trials of a sweep, not from images")
