"""Exactly k weights go: the lowest scores, ties broken by a seeded draw, never by a threshold alone.

The k-th lowest score is bracketed with a sample, found exactly inside the bracket, and then counted against every
score: what is returned does not depend on the sample. Scores are read in blocks that fit a core's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prunectl.base.errors import MethodError

Values = NDArray[Any]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

BLOCK = 1 << 16
"""Scores looked at together: half a megabyte of float64."""
SAMPLE = 1 << 15
"""Scores that the bracket is made from."""
WIDTH = 4.0
"""Half the bracket, in standard deviations of a sampled rank: it misses once in ten thousand, which costs a search."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tie:
    """Scores equal to the last one pruned: their number, and how many of them were pruned."""

    scores: int
    pruned: int


def lowest(scores: Tensor, k: int, generator: torch.Generator) -> tuple[Tensor, Tie]:
    """Which k of the scores (n,) are lowest: bool (n,), exactly k True. As `lowest_among` one layer, all alive."""
    (chosen,), tie = lowest_among([scores], [torch.ones(scores.shape, dtype=torch.bool)], k, generator)
    return chosen, tie


def lowest_among(
    scores: Sequence[Tensor],
    alive: Sequence[Tensor],
    k: int,
    generator: torch.Generator,
    *,
    highest: bool = False,
) -> tuple[list[Tensor], Tie]:
    """Which k of the alive scores of several layers, ranked together, are lowest (or highest): bool, layer by layer.

    A value is found and compared, never interpolated; the places at that value are drawn from `generator`.
    Raises MethodError for a score that is not finite, ValueError unless 0 ≤ k ≤ the number alive.
    """
    field = _Field(
        values=[_flat(layer) for layer in scores],
        alive=[mask.detach().reshape(-1).cpu().numpy() for mask in alive],
        highest=highest,
    )
    n = sum(int(np.count_nonzero(flags)) for flags in field.alive)
    if not 0 <= k <= n:
        raise ValueError(f"cannot choose {k} of {n}")
    if k == 0:
        _check_finite(field.values)
        return [torch.zeros(layer.shape, dtype=torch.bool) for layer in scores], Tie(scores=0, pruned=0)
    cut = field.cut_at(k, n)
    tied = sum(map(len, cut.ties))
    drawn = _drawn(tied, k - cut.below, generator)
    start = 0
    for chosen, ties in zip(cut.chosen, cut.ties, strict=True):
        chosen[ties[drawn[start : start + len(ties)]]] = True
        start += len(ties)
    masks = [torch.from_numpy(flags).view(layer.shape) for flags, layer in zip(cut.chosen, scores, strict=True)]
    return masks, Tie(scores=tied, pruned=k - cut.below)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cut:
    """Scores against one value, layer by layer: which are below it, how many, and the places of those equal to it."""

    chosen: list[Flags]
    ties: list[Places]
    below: int

    def fits(self, k: int) -> bool:
        """Whether the value is the k-th lowest."""
        return self.below < k <= self.below + sum(map(len, self.ties))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Field:
    """Flat scores of several layers, and which of them take part."""

    values: list[Values]
    alive: list[Flags]
    highest: bool

    def cut_at(self, k: int, n: int) -> _Cut:
        """Everything against the k-th lowest of n: between the ends of a bracket, at one of them, or outside it."""
        low, high = self._bracket(k, n)
        if low < high and (cut := self._cut_between(low, high, k)):
            return cut
        _check_finite(self.values)
        for end in (low, high):
            if (cut := self._cut(end)).fits(k):
                return cut
        return self._cut(np.partition(self._everything(), k - 1)[k - 1])

    def _bracket(self, k: int, n: int) -> tuple[Any, Any]:
        """Two sampled scores that the k-th lowest probably lies between, or is one of."""
        sample = self._sample(n)
        rank = (k - 0.5) / n * len(sample)
        margin = 0.0 if len(sample) == n else WIDTH * math.sqrt(rank * (1 - rank / len(sample))) + 2
        low, high = math.floor(rank - margin), math.floor(rank + margin)
        return sample[max(low, 0)], sample[min(high, len(sample) - 1)]

    def _cut_between(self, low: Any, high: Any, k: int) -> _Cut | None:
        """In one reading, everything against the k-th lowest; None if it does not lie strictly between the two.

        None as well if the sum of all scores is not finite, as it is not if one of them is not.
        """
        chosen = self._flags()
        inside: list[list[Values]] = [[] for _ in self.values]
        places: list[list[Places]] = [[] for _ in self.values]
        below, total = 0, 0.0
        for layer, start, values, alive in self._blocks():
            total += float(torch.from_numpy(values).sum())  # faster than numpy's, and without its threads
            up_to = np.less_equal(values, low, out=chosen[layer][start : start + BLOCK])
            up_to &= alive
            below += int(np.count_nonzero(up_to))
            between = values < high
            between &= alive
            between ^= up_to
            where = np.flatnonzero(between)
            inside[layer].append(values[where])
            places[layer].append(where + start)
        if not (math.isfinite(total) and below < k <= below + sum(len(block) for blocks in inside for block in blocks)):
            return None
        layers = [
            (_joined(values, self.values[0].dtype), _joined(where, np.intp))
            for values, where in zip(inside, places, strict=True)
        ]
        value = np.partition(np.concatenate([values for values, _ in layers]), k - below - 1)[k - below - 1]
        for flags, (values, where) in zip(chosen, layers, strict=True):
            under = where[values < value]
            flags[under] = True
            below += len(under)
        return _Cut(chosen=chosen, ties=[where[values == value] for values, where in layers], below=below)

    def _cut(self, value: Any) -> _Cut:
        """Everything against one value."""
        chosen = self._flags()
        ties: list[list[Places]] = [[] for _ in self.values]
        below = 0
        for layer, start, values, alive in self._blocks():
            under = np.less(values, value, out=chosen[layer][start : start + BLOCK])
            under &= alive
            below += int(np.count_nonzero(under))
            equal = values == value
            equal &= alive
            ties[layer].append(np.flatnonzero(equal) + start)
        return _Cut(chosen=chosen, ties=[_joined(where, np.intp) for where in ties], below=below)

    def _flags(self) -> list[Flags]:
        return [np.empty(len(values), dtype=np.bool_) for values in self.values]

    def _blocks(self) -> Iterator[tuple[int, int, Values, Flags]]:
        """Layer, first place, scores (turned if the highest go) and alive, block by block."""
        for layer, (values, alive) in enumerate(zip(self.values, self.alive, strict=True)):
            for start in range(0, len(values), BLOCK):
                end = start + BLOCK
                yield layer, start, self._turned(values[start:end]), alive[start:end]

    def _everything(self) -> Values:
        """All alive scores in one piece."""
        return self._turned(
            np.concatenate([values[alive] for values, alive in zip(self.values, self.alive, strict=True)])
        )

    def _sample(self, n: int) -> Values:
        """Alive scores at equal distances, ascending; all of them if they are few."""
        step = max(1, sum(map(len, self.values)) // SAMPLE) | 1  # odd: rows and kernels are more often even
        sample = np.concatenate(
            [values[::step][alive[::step]] for values, alive in zip(self.values, self.alive, strict=True)]
        )
        return np.sort(self._turned(sample) if len(sample) and n > SAMPLE else self._everything())

    def _turned(self, values: Values) -> Values:
        return -values if self.highest else values


def _joined(pieces: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=dtype)


def _drawn(tied: int, missing: int, generator: torch.Generator) -> Flags:
    """`missing` of the tied, each set of them equally likely: those with the lowest random keys."""
    drawn = np.ones(tied, dtype=np.bool_)
    if missing < tied:
        keys = torch.rand(tied, generator=generator, dtype=torch.float64).numpy()
        last = np.partition(keys, missing - 1)[missing - 1]
        np.less(keys, last, out=drawn)
        drawn[np.flatnonzero(keys == last)[: missing - np.count_nonzero(drawn)]] = True
    return drawn


def _flat(scores: Tensor) -> Values:
    flat = scores.detach().reshape(-1).cpu()
    values: Values = (flat if flat.dtype in (torch.float32, torch.float64) else flat.double()).numpy()
    return values


def _check_finite(layers: Sequence[Values]) -> None:
    if all(all_finite(torch.from_numpy(values)) for values in layers):
        return
    n = sum(map(len, layers))
    bad = n - sum(int(np.count_nonzero(np.isfinite(values))) for values in layers)
    raise MethodError(f"{bad:,} of {n:,} scores are not finite; no ranking can be made of them")


def check_finite(scores: Mapping[str, Tensor]) -> None:
    """Raise MethodError for the first layer with a score that is NaN or infinite."""
    for name, values in scores.items():
        if not all_finite(values):
            raise MethodError(f"scores of {name} are not finite; no ranking can be made of them")


def all_finite(values: Tensor) -> bool:
    """Whether no value is NaN or infinite. Reads the values once, without a copy."""
    if values.numel() == 0:
        return True
    low, high = torch.aminmax(values.detach())  # a NaN comes through
    return math.isfinite(low) and math.isfinite(high)
