"""The highest compression at which no layer is empty (Tanaka et al. 2020, Section 3), in numbers of weights kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

FINE = 1000
"""Up to this number of weights kept the search ends at one weight, beyond it at a thousandth."""


def best_ranks(scores: Mapping[str, Tensor], generator: torch.Generator, *, invert: bool = False) -> int:
    """The number of weights that one ranking over all layers must keep so that each layer keeps one.

    That is the maximum over layers of the rank of the layer's best score (the lowest, if inverted). Of equal scores
    those go first that a `Prune` with this generator would draw first: the rank counts the ones that go later. Raises
    ValueError for a layer without weights.
    """
    sign = -1 if invert else 1
    flat = [sign * layer.detach().reshape(-1).cpu() for layer in scores.values()]
    if any(len(layer) == 0 for layer in flat):
        raise ValueError("a layer without weights is always empty")
    best = [layer.max() for layer in flat]
    worst = torch.stack(best).min()
    above = sum(int((layer > worst).sum()) for layer in flat)
    tied = [int((layer == worst).sum()) for layer in flat]
    if sum(tied) == 1:
        return above + 1
    keys = torch.rand(sum(tied), generator=generator, dtype=torch.float64)  # as `select` draws: the lowest go first
    mine = [part.max() for part, top in zip(torch.split(keys, tied), best, strict=True) if top == worst]
    return above + int((keys >= torch.stack(mine).min()).sum())


@dataclass(frozen=True, kw_only=True, slots=True)
class Fewest:
    """The lowest number of weights kept for which no layer was empty, and every number that was tried."""

    kept: int
    tried: Mapping[int, bool]


def search(works: Callable[[int], bool], most: int, layers: int, first: Sequence[int] = ()) -> Fewest:
    """The lowest number of weights kept, between `layers` and `most`, at which `works` holds, by bisection.

    Everything works at `most`, and nothing below `layers`. `first` are tried before: guesses that shorten the search.
    Below `FINE` the next lower number does not work, beyond it one a thousandth lower does not. Where `works` is not
    monotone, there may be lower numbers that work.
    """
    low, high = layers - 1, most
    tried: dict[int, bool] = {}
    guesses = iter(first)
    while high - low > (1 if high <= FINE else high // FINE):
        between = (guess for guess in guesses if low < guess < high)
        kept = next(between, min(max(math.isqrt(max(low, 1) * high), low + 1), high - 1))
        tried[kept] = works(kept)
        low, high = (low, kept) if tried[kept] else (kept, high)
    return Fewest(kept=high, tried=tried)
