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
    rates: Tensor | None
    """By group: what fraction goes where a fraction of 1 goes elsewhere."""
    draw: Tensor
    """(n,) a random permutation, for ties."""


def _by_value(ranking: Ranking) -> Tensor:
    """Lowest first, whatever the layer."""
    return ranking.draw[ranking.values[ranking.draw].argsort(stable=True)]


def _by_share(ranking: Ranking) -> Tensor:
    """In the order in which round(fraction · n) takes them, as the fraction rises alike in all layers."""
    order = _by_value(ranking)
    share = torch.full((len(order),), torch.inf, dtype=torch.float64)
    for group in sorted(set(ranking.groups.tolist())):
        places = order[ranking.groups[order] == group]
        rank = ranking.gone[group] + torch.arange(len(places), dtype=torch.float64) + 0.5
        rate = 1.0 if ranking.rates is None else float(ranking.rates[group])
        if rate > 0:
            share[places] = rank / ranking.size[group] / rate
    order = order[share[order] < torch.inf]
    return order[share[order].argsort(stable=True)]


ORDERS: Mapping[str, Callable[[Ranking], Tensor]] = {"global": _by_value, "layerwise": _by_share, "rates": _by_share}
"""In which order channels go, by the name of the scope."""


def ties(ranking: Ranking, gone: Tensor, *, together: bool) -> tuple[int, int]:
    """How many channels have the score of the last that went (of all, or of each group), and how many of them went."""
    went = torch.zeros(len(ranking.values), dtype=torch.bool)
    went[gone] = True
    groups = torch.zeros_like(ranking.groups) if together else ranking.groups
    tied = tied_pruned = 0
    for group in set(groups[went].tolist()):
        there = groups == group
        at_cut = there & (ranking.values == ranking.values[there & went].max())
        tied, tied_pruned = tied + int(at_cut.sum()), tied_pruned + int((at_cut & went).sum())
    return tied, tied_pruned
