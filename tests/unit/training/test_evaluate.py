"""Metrics over whole sets: sums over all images, whatever the batches, and a network that stays as it was."""

from __future__ import annotations

import math

import pytest
import torch

from networks import SHAPE, small_network
from prunectl.training.evaluate import BATCH, evaluate
from prunectl.training.metrics.ece import Ece
from prunectl.training.metrics.loss import Loss
from prunectl.training.metrics.top1 import Top1
from prunectl.training.metrics.top5 import Top5
from prunectl.training.pixels import Normalize
from prunectl.training.source import InMemory

ALL = Top1(), Top5(), Loss(), Ece()
NORMALIZE = Normalize([0.5], [0.3], torch.device("cpu"))


class Constant(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.eye(10)[:1].expand(len(x), 10)


def test_a_constant_predictor_scores_one_over_the_classes() -> None:
    """Trap 1: correct / total, with an odd last batch (the thesis reads 9.89)."""
    count = 1230
    images = InMemory(torch.zeros(count, 1, 2, 2, dtype=torch.uint8), torch.arange(count) % 10)
    score = evaluate(Constant(), images, NORMALIZE, ALL)
    assert score["top1"] == 0.1
    assert score["top5"] == 0.5
    assert math.isfinite(score["loss"])
    assert score["ece"] == pytest.approx(math.e / (math.e + 9) - 0.1)


def test_metrics_are_those_of_all_images_at_once() -> None:
    count = 2 * BATCH + 7
    draws = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, *SHAPE), generator=draws, dtype=torch.uint8)
    labels = torch.randint(0, 3, (count,), generator=draws)
    network = small_network()
    score = evaluate(network, InMemory(images, labels), NORMALIZE, ALL)
    with torch.no_grad():
        logits = network.eval()(NORMALIZE(images))
    whole = {metric.name: metric.value(metric.sums(logits, labels).double(), count) for metric in ALL}
    assert score == pytest.approx(whole, rel=1e-5)
    assert list(score) == ["top1", "top5", "loss", "ece"]
    assert score["top5"] == 1.0  # of three classes


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_left_as_it_was(training: bool) -> None:
    network = small_network().train(training)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = InMemory(torch.zeros(9, *SHAPE, dtype=torch.uint8), torch.arange(9) % 3)
    evaluate(network, images, NORMALIZE, ALL)
    assert network.training is training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_equal_logits_are_ranked_alike_by_both_accuracies() -> None:
    """A network that learned nothing: the one label that is ranked first has to be the same for both."""
    logits, labels = torch.zeros(10, 10), torch.arange(10)
    assert float(Top1().sums(logits, labels)) == 1
    assert float(Top5().sums(logits, labels)) == 5


def test_a_network_that_diverged_has_no_finite_metrics_but_accuracies() -> None:
    logits, labels = torch.full((4, 10), math.nan), torch.arange(4)
    assert not math.isfinite(Loss().value(Loss().sums(logits, labels), 4))
    assert not math.isfinite(Ece().value(Ece().sums(logits, labels), 4))
