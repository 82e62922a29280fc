"""torch's optimizers without torch's compiler: the same arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from prunectl.training.state import load_optimizer, optimizer_tensors
from prunectl.training.uncompiled import METHODS, uncompiled

KINDS: list[tuple[type[torch.optim.Optimizer], dict[str, Any]]] = [
    (torch.optim.SGD, {"momentum": 0.9, "nesterov": True, "fused": True}),
    (torch.optim.SGD, {"fused": True}),
    (torch.optim.Adam, {"fused": True}),
    (torch.optim.AdamW, {"fused": True}),
    (torch.optim.RMSprop, {"centered": True}),
]


def trained(kind: Any, options: dict[str, Any]) -> list[Tensor]:
    """The weights after some steps, with the optimizer's state saved and loaded on the way."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 10))
    optimizer = kind(network.parameters(), lr=0.1, weight_decay=1e-4, **options)
    for step in range(4):
        optimizer.zero_grad(set_to_none=True)
        network(torch.randn(8, 1, 8, 8)).square().mean().backward()
        optimizer.step()
        if step == 1:
            load_optimizer(network, optimizer, optimizer_tensors(network, optimizer))
    return [parameter.detach() for parameter in network.parameters()]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_the_bits_are_those_of_torch(kind: type[torch.optim.Optimizer], options: dict[str, Any]) -> None:
    theirs = trained(kind, options)
    assert all(torch.equal(*pair) for pair in zip(trained(uncompiled(kind), options), theirs, strict=True))


def test_it_is_one_subclass_whose_step_keeps_no_graph() -> None:
    kind = uncompiled(torch.optim.SGD)
    assert uncompiled(torch.optim.SGD) is kind and issubclass(kind, torch.optim.SGD)
    assert all(name in vars(kind) for name in METHODS)
    weight = nn.Parameter(torch.ones(3))
    optimizer = kind([weight], lr=0.1)
    weight.grad = torch.ones(3)
    optimizer.step()
    assert weight.is_leaf and torch.is_grad_enabled()
    assert torch.equal(weight.detach(), torch.full((3,), 0.9))
