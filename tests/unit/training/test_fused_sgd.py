"""Our step of SGD leaves the bits of torch's, whatever weights have gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from prunectl.training.fused_sgd import FusedSgd
from prunectl.training.uncompiled import uncompiled

OPTIONS: list[dict[str, Any]] = [
    {"momentum": 0.9, "nesterov": False},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.0, "nesterov": False},
]
ALL, FIRST_ONLY, NONE = {0, 1, 2}, {0}, set[int]()


def trained(
    build: Callable[[Sequence[nn.Parameter]], torch.optim.Optimizer], having: Sequence[set[int]]
) -> list[Tensor]:
    """Weights after a step for each set of weights that have a gradient in it."""
    draws = torch.Generator().manual_seed(0)
    weights = [nn.Parameter(torch.randn(3, number + 1, generator=draws)) for number in range(3)]
    optimizer = build(weights)
    for present in having:
        for number, weight in enumerate(weights):
            gradient = torch.randn(weight.shape, generator=draws)
            weight.grad = gradient if number in present else None
        optimizer.step()
    return [weight.detach() for weight in weights]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("having", [[ALL] * 4, [ALL, FIRST_ONLY, ALL, NONE, ALL]])
def test_the_bits_are_those_of_torch(options: dict[str, Any], having: Sequence[set[int]]) -> None:
    ours = trained(lambda weights: FusedSgd(weights, lr=0.1, weight_decay=1e-3, fused=True, **options), having)
    theirs = trained(lambda weights: torch.optim.SGD(weights, lr=0.1, weight_decay=1e-3, **options), having)
    fused = trained(lambda weights: torch.optim.SGD(weights, lr=0.1, weight_decay=1e-3, fused=True, **options), having)
    assert all(torch.equal(*pair) for pair in zip(ours, fused, strict=True))
    assert all(torch.allclose(*pair) for pair in zip(ours, theirs, strict=True))


def test_weights_of_two_types_are_trained_as_torch_trains_them() -> None:
    weights = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2, dtype=torch.float64))]
    optimizer = uncompiled(FusedSgd)(weights, lr=0.5, momentum=0.9, fused=True)
    for _ in range(2):
        for weight in weights:
            weight.grad = torch.ones_like(weight)
        optimizer.step()
    assert all(weight.tolist() == pytest.approx([1 - 0.5 - 0.95] * 2) for weight in weights)


def test_a_weight_whose_first_gradient_comes_late_starts_from_rest() -> None:
    late = nn.Parameter(torch.ones(1))
    early = nn.Parameter(torch.ones(1))
    optimizer = FusedSgd([early, late], lr=0.1, momentum=0.9, fused=True)
    early.grad = torch.ones(1)
    optimizer.step()
    early.grad, late.grad = torch.ones(1), torch.ones(1)
    optimizer.step()
    assert late.item() == pytest.approx(0.9)
