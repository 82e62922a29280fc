"""Expected calibration error: Guo et al. (2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.metric import Metric

if TYPE_CHECKING:
    from torch import Tensor

BINS = 15


class Ece(Metric):
    """How far confidence is from accuracy: Guo et al. (2017), "On Calibration of Modern Neural Networks", eq. 3.

    Images fall by the confidence of their prediction (the highest probability) into 15 bins of equal width,
    ((m − 1)/15, m/15]. The error is Σ |B_m|/n · |acc(B_m) − conf(B_m)|, the distance of the two means in each bin.
    """

    name = "ece"
    summary = "expected calibration error, in 15 bins of equal width"
    head = "ECE"
    title = "expected calibration error"
    unit = "fraction"
    better = "low"

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Per bin the number of right predictions minus the sum of confidences, float64 (BINS,)."""
        import torch

        confidence, predicted = logits.double().softmax(dim=1).max(dim=1)
        bins = (confidence * BINS).ceil().long().clamp(1, BINS) - 1
        # A product and a sum: scattered addition has no fixed order on a GPU.
        member = bins[:, None] == torch.arange(BINS, device=logits.device)
        return (member * ((predicted == labels).double() - confidence)[:, None]).sum(dim=0)

    def value(self, total: Tensor, count: int) -> float:
        """Σ |right − confidence| / n: the sizes of the bins cancel."""
        return float(total.abs().sum()) / count
