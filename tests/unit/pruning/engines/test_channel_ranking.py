"""The worked examples of the docstrings: sizes of sets of channels, and the order in which channels go."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from prunectl.pruning.engines.channel_graph import channels_of
from prunectl.pruning.engines.channel_ranking import Ranking, by_share, by_value
from prunectl.pruning.engines.channel_sizes import Sizes
from prunectl.pruning.prunable import prunable


def test_sizes_of_three_linear_layers() -> None:
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(2, 3, bias=False), nn.Linear(3, 3, bias=False), nn.Linear(3, 2, bias=False)
    )
    channels = channels_of(network, (2, 1, 1))
    sizes = Sizes.of(prunable(network), channels)
    first, second = (channels.rows[f"{layer}.weight"].tolist() for layer in (1, 2))
    assert channels.count == 10
    assert sizes.area.tolist() == [1, 1, 1]
    keep = torch.ones(10, dtype=torch.bool)
    order = torch.tensor([first[1], second[1], first[0]])
    assert sizes.left(keep, order).tolist() == [21, 16, 12, 8]
    whole = torch.tensor([first[1], second[1], first[0], second[0], first[2], second[2]])
    assert sizes.last(whole).tolist() == [False, False, False, False, True, True]
    assert sizes.most() == 5


def test_shares_of_three_layers() -> None:
    """Layers of 2, 4 and 4 channels with rates 1, 1 and ½: scores decide where shares are equal."""
    ranking = Ranking(
        values=torch.tensor([1.0, 2, 10, 20, 30, 40, 0.5, 3, 4, 5], dtype=torch.float64),
        groups=torch.tensor([0, 0, 1, 1, 1, 1, 2, 2, 2, 2]),
        gone=torch.zeros(3, dtype=torch.long),
        size=torch.tensor([2, 4, 4]),
        rates=torch.tensor([1.0, 1.0, 0.5], dtype=torch.float64),
        draw=torch.arange(10),
    )
    assert by_share(ranking).tolist() == [2, 6, 0, 3, 4, 1, 7, 5, 8, 9]
    assert by_value(ranking).tolist() == [6, 0, 1, 7, 8, 9, 2, 3, 4, 5]


@pytest.mark.parametrize("gone", [0, 1])
def test_a_layer_without_a_rate_loses_nothing_and_what_has_gone_counts(gone: int) -> None:
    ranking = Ranking(
        values=torch.tensor([1.0, 2, 3, 4], dtype=torch.float64),
        groups=torch.tensor([0, 0, 1, 1]),
        gone=torch.tensor([0, gone]),
        size=torch.tensor([2, 2 + gone]),
        rates=torch.tensor([0.0, 1.0], dtype=torch.float64),
        draw=torch.arange(4),
    )
    assert by_share(ranking).tolist() == [2, 3]
