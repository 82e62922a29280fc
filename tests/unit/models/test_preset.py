"""Weights that a network's own code sets are recognised, and usual beginnings are not taken for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from networks import CLASSES, SHAPE
from odd_networks import Plain, lazy
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.model import Model
from prunectl.catalog.tables import MODELS
from prunectl.models.preset import preset


def found(make: Callable[[], nn.Module]) -> list[str]:
    class Made(Model):
        name = "made"
        summary = "for a test"

        def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
            return make()

    return preset(Made(), SHAPE, CLASSES)


def checkpoint(network: nn.Module) -> nn.Module:
    draws = torch.Generator().manual_seed(3)
    network.load_state_dict({
        name: torch.randn(kept.shape, generator=draws) if kept.is_floating_point() else kept
        for name, kept in network.state_dict().items()
    })  # fmt: skip
    return network


def constants(network: nn.Module) -> nn.Module:
    for name, parameter in network.named_parameters():
        if parameter.dim() == 1:
            nn.init.constant_(parameter, 1.0 if "norm" in name else 0.0)
    return network


@pytest.mark.parametrize("name", MODELS)
def test_networks_of_the_catalogue_set_nothing_themselves(name: str) -> None:
    model = entry_type("models", name)()
    assert isinstance(model, Model)
    assert preset(model, (1, 28, 28) if "lenet" in name or "mnist" in name else (3, 32, 32), 10) == []


@pytest.mark.parametrize("make", [Plain, lazy, lambda: constants(Plain())])
def test_drawn_weights_and_constants_are_usual(make: Callable[[], nn.Module]) -> None:
    before = torch.random.get_rng_state()
    assert found(make) == []
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_checkpoint_is_recognised() -> None:
    assert found(lambda: checkpoint(Plain())) == [name for name, _ in Plain().named_parameters()]


def test_a_checkpoint_of_a_part_is_recognised_by_its_layers() -> None:
    def made() -> nn.Module:
        network = Plain()
        checkpoint(network.conv2)
        return network

    assert found(made) == ["conv2.weight", "conv2.bias"]


def test_weights_from_a_fixed_seed_are_recognised() -> None:
    def made() -> nn.Module:
        torch.manual_seed(0)
        return Plain()

    assert "fc.weight" in found(made)


def filled(network: nn.Module) -> nn.Module:
    weight, bias = next(network.parameters()), dict(network.named_parameters())["head.bias"]
    nn.init.constant_(weight, 0.01)
    nn.init.constant_(bias, -4.6)
    return network


def noisy(network: nn.Module) -> nn.Module:
    checkpoint(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1e-2 * torch.randn(parameter.shape))
    return network


def test_constants_that_a_draw_would_replace_are_recognised() -> None:
    first = next(name for name, _ in Plain().named_parameters())
    assert found(lambda: filled(Plain())) == [first, "head.bias"]


def test_a_checkpoint_with_a_little_noise_is_recognised() -> None:
    assert found(lambda: noisy(Plain())) == [name for name, kept in Plain().named_parameters() if kept.numel() >= 8]


def test_draws_around_another_mean_are_draws() -> None:
    def shifted() -> nn.Module:
        network = Plain()
        for parameter in network.parameters():
            nn.init.normal_(parameter, 1.0, 0.02)
        return network

    assert found(shifted) == []
