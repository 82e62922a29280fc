"""Expected calibration error, by hand: Guo et al. (2017), eq. 3."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from prunectl.training.metrics.ece import Ece


def logits(*confidences: float) -> torch.Tensor:
    """Of two classes: the first has these probabilities."""
    p = torch.tensor(confidences, dtype=torch.float64)
    return torch.stack([p.log(), (1 - p).log()], dim=1)


def test_five_images_in_three_bins() -> None:
    """Fifteenths: 0.62 and 0.65 are in bin 10 (0.6, 0.667], 0.7 in bin 11, 0.95 and 0.99 in bin 15.

    Bin 10: one of two right, mean confidence 0.635. Bin 11: wrong. Bin 15: both right, mean confidence 0.97.
    2/5 · |0.5 − 0.635| + 1/5 · |0 − 0.7| + 2/5 · |1 − 0.97| = 0.054 + 0.14 + 0.012.
    """
    labels = torch.tensor([0, 1, 1, 0, 0])
    total = Ece().sums(logits(0.62, 0.65, 0.7, 0.95, 0.99), labels)
    assert Ece().value(total, 5) == pytest.approx(0.206)


def test_a_bin_ends_with_its_upper_bound() -> None:
    """(0.533, 0.6] holds 0.6, so that it cancels against 0.55; in the next bin, both would count."""
    labels = torch.tensor([1, 0])
    inside = Ece().value(Ece().sums(logits(0.6 - 1e-12, 0.55), labels), 2)
    assert inside == pytest.approx(abs(1 / 2 - 0.575))
    outside = Ece().value(Ece().sums(logits(0.6 + 1e-9, 0.55), labels), 2)
    assert outside == pytest.approx((0.6 + 0.45) / 2)


def test_random_predictions_against_bins_of_numpy() -> None:
    draws = torch.Generator().manual_seed(0)
    scores, labels = torch.randn(500, 10, generator=draws) * 3, torch.randint(0, 10, (500,), generator=draws)
    probabilities = scores.double().softmax(1).numpy()
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels.numpy()
    bins = np.digitize(confidence, np.linspace(0, 1, 16), right=True)
    expected = sum(
        (bins == m).mean() * abs(right[bins == m].mean() - confidence[bins == m].mean())
        for m in range(1, 16)
        if (bins == m).any()
    )
    halves = Ece().sums(scores[:123], labels[:123]) + Ece().sums(scores[123:], labels[123:])
    assert Ece().value(halves, 500) == pytest.approx(expected)
