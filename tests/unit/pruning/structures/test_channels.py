"""Channels as an entry: which scopes it accepts, third parties' included, and what a network must be."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from networks import SHAPE, small_network
from prunectl.catalog.scope import Scope
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.erk import Erk
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.pruning.scopes.rates import Rates
from prunectl.pruning.structures.channels import Channels


class Deeper(Scope):
    """A third party's scope: later layers lose more."""

    name = "deeper"
    summary = "later layers lose more"
    channels = "alike"

    def shares(self, layers: tuple[str, ...]) -> Mapping[str, float]:
        """1, 2, 3, … in the order of the layers."""
        return {layer: 1.0 + place for place, layer in enumerate(layers)}


def mlp() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 60), nn.ReLU(), nn.Linear(60, 60), nn.ReLU(), nn.Linear(60, 3))


def test_a_scope_declares_how_it_ranks_channels() -> None:
    assert Channels().refusal(Erk()) == '"erk" spreads single weights, not channels'
    assert Channels().refusal(Layerwise()) is Channels().refusal(Rates()) is Channels().refusal(Deeper()) is None


def test_a_third_partys_scope_ranks_channels_by_its_shares() -> None:
    network = mlp()
    scores = {name: weight.detach().abs() for name, weight in prunable(network).items()}
    units = Channels().units(network, SHAPE)
    masks = units.prune(scores, Deeper(), 0.4, generator=torch.Generator().manual_seed(0)).masks
    lost = [60 - int(masks[f"{layer}.bias"].sum()) for layer in (1, 3)]
    assert abs(lost[1] - 2 * lost[0]) <= 1


def test_a_network_with_an_unknown_operation_is_refused_beforehand() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(64, 3))
    (reason,) = Channels().check(network, prunable(network), SHAPE)
    assert "1 (GroupNorm)" in reason


def test_a_network_of_which_no_channel_may_go_is_refused_beforehand() -> None:
    network = small_network()
    (reason,) = Channels().check(network, prunable(network, ["0", "3.conv", "6", "8"]), SHAPE)
    assert reason.startswith("nothing to prune: no channel of this network may go")
    assert "0: it is excluded" in reason
