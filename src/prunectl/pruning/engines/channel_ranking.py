"""In which order channels go: all in one ranking, or the same fraction of every layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """The channels that may go, and what decides on their order."""

    values: Tensor
    """(n,) float64: the lowest go first."""
    groups: Tensor
    """(n,) which layers it belongs to, as a number."""
    gone: Tensor
    """By group: how many have gone before."""
    size: Tensor
    """By group: how many there are in all."""
    rates: Tensor
    """By group: what fraction goes, relative to the other groups; 0 where nothing may go."""
    draw: Tensor
    """(n,) a random permutation, for ties."""


def by_value(ranking: Ranking) -> Tensor:
    """Lowest first, whatever the layer."""
    return ranking.draw[ranking.values[ranking.draw].argsort(stable=True)]


def by_share(ranking: Ranking) -> Tensor:
    """In the order in which round(fraction · n) takes them, as the fraction rises alike in all layers.

    The k-th channel of a layer of n (k = 1, 2, …, those gone before counted) goes when fraction · n · rate reaches
    k − ½. For example, three layers of 2, 4 and 4 channels with rates 1, 1 and ½, nothing gone:

        channels of 2, rate 1:  ½/2, 1½/2                          = 0.25, 0.75
        channels of 4, rate 1:  ½/4, 1½/4, 2½/4, 3½/4              = 0.125, 0.375, 0.625, 0.875
        channels of 4, rate ½:  (½/4)/½, (1½/4)/½, (2½/4)/½, …     = 0.25, 0.75, 1.25, 1.75

    so the second layer loses its lowest channel first, then the first and the third layer theirs, and so on. Of
    equal shares the lower score goes first.
    """
    order = by_value(ranking)
    share = torch.full((len(order),), torch.inf, dtype=torch.float64)
    for group in sorted(set(ranking.groups.tolist())):
        places = order[ranking.groups[order] == group]
        rank = ranking.gone[group] + torch.arange(len(places), dtype=torch.float64) + 0.5
        rate = float(ranking.rates[group])
        if rate > 0:
            share[places] = rank / ranking.size[group] / rate
    order = order[share[order] < torch.inf]
    return order[share[order].argsort(stable=True)]


ORDERS: Mapping[str, Callable[[Ranking], Tensor]] = {"together": by_value, "alike": by_share}
"""In which order channels go, by what a scope declares as `channels`."""


def ties(ranking: Ranking, gone: Tensor, *, together: bool) -> tuple[int, int]:
    """How many channels have the score of the last that went (of all, or of each group), and how many of them went."""
    went = torch.zeros(len(ranking.values), dtype=torch.bool)
    went[gone] = True
    groups = torch.zeros_like(ranking.groups) if together else ranking.groups
    tied = tied_pruned = 0
    for group in set(groups[went].tolist()):
        members = groups == group
        at_cut = members & (ranking.values == ranking.values[members & went].max())
        tied, tied_pruned = tied + int(at_cut.sum()), tied_pruned + int((at_cut & went).sum())
    return tied, tied_pruned
