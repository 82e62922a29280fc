"""Structured pruning: whole channels of convolutions and rows of linear layers (Li et al. 2017; Renda et al. 2020).

A set of channels that live and die together (`channel_graph.py`) is ranked by the mean score of the weights that make
it, over all its rows in all layers: with magnitude, by mean |w|. A set that goes takes with it the rows that make it,
the columns that read it, and its biases and BatchNorm entries: it is zero wherever it is seen, and `compact.py` can
leave it out.

`sparsity` is the fraction of prunable *weights*, as everywhere. Channels go one by one, lowest first, and the cut is
where the number of weights gone is nearest to round(sparsity · n): above or below it, by at most half of what the
channel at the cut takes along. The best channel of every layer stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from prunectl.base.errors import MethodError
from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.scope import Scope
from prunectl.pruning import mask as masking
from prunectl.pruning.engines.channel_graph import ChannelSets
from prunectl.pruning.engines.channel_ranking import ORDERS, Ranking, ties
from prunectl.pruning.engines.channel_sizes import Sizes
from prunectl.pruning.engines.select import check_finite

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


@dataclass(frozen=True, eq=False)
class WholeChannels:
    """The units of structured pruning: sets of channels that live and die together."""

    channels: ChannelSets

    def prune(
        self,
        scores: Scores,
        scope: Scope,
        sparsity: float,
        *,
        generator: torch.Generator,
        before: Masks | None = None,
        invert: bool = False,
        weights: Mapping[str, Tensor] | None = None,
    ) -> Pruned:
        """The masks at `sparsity`, of weights, biases and BatchNorm parameters; those of `before` are gone among them.

        The scope ranks all channels together, or takes fractions from every layer in proportion to its shares. Layers
        that were not scored keep their rows. Ties, in channels, are drawn from `generator`. Raises MethodError for
        scores that are not finite, a scope that does not rank channels, a sparsity below that of `before` or beyond
        what one channel per layer leaves, and where nothing may go.
        """
        channels = self.channels
        if scope.channels is None:
            raise MethodError(f"scope {scope.name!r} spreads single weights, and does not rank channels")
        if scope.least():
            raise MethodError(f"scope {scope.label()} keeps single weights of every layer, and whole channels go")
        if reason := next(problems(scores, channels), None):
            raise MethodError(reason)
        check_finite(scores)
        sizes = Sizes.of(scores, channels)
        keep = _kept_before(before, scores, channels)
        candidates = (_free(scores, channels) & keep).nonzero().flatten()
        if len(candidates) == 0:
            raise MethodError("nothing to prune: every channel that may go is gone already")
        groups = sizes.groups()
        ranking = Ranking(
            values=_means(scores, before, channels)[candidates] * (-1 if invert else 1),
            groups=groups[candidates],
            gone=torch.bincount(groups[~keep], minlength=channels.count),
            size=torch.bincount(groups, minlength=channels.count),
            rates=_rates(scope, sizes),
            draw=torch.randperm(len(candidates), generator=generator),
        )
        order = ORDERS[scope.channels](ranking)
        order = order[~sizes.last(candidates[order])]
        count = _cut(sizes, keep, candidates[order], sparsity)
        keep[candidates[order[:count]]] = False
        tied, tied_pruned = ties(ranking, order[:count], together=scope.channels == "together")
        return Pruned(masks=masks_of(keep, scores, channels), tied=tied, tied_pruned=tied_pruned)

    def shuffle(self, masks: Masks, generator: torch.Generator) -> Masks:
        """Which of a layer's channels are gone is drawn again; how many stays.

        Sets change places with sets of the same layers only, so that all counts of all layers stay as they are.
        """
        weights = masking.of_weights(masks)
        keep = kept_channels(masks, self.channels)
        groups = Sizes.of(weights, self.channels).groups()
        free = _free(weights, self.channels)
        shuffled = keep.clone()
        for group in set(groups[free].tolist()):
            places = (free & (groups == group)).nonzero().flatten()
            shuffled[places] = keep[places][torch.randperm(len(places), generator=generator)]
        return masks_of(shuffled, weights, self.channels)


def problems(weights: Mapping[str, Tensor], channels: ChannelSets) -> Iterator[str]:
    """Why channels with rows in these weights cannot be pruned: layers that are never called, nothing that may go."""
    missing = [name for name in weights if name not in channels.rows]
    if missing:
        yield f"the network never calls {', '.join(missing)}"
    elif not _free(weights, channels).any():
        yield f"nothing to prune: no channel of this network may go ({_reasons(weights, channels)})"


def masks_of(keep: Tensor, weights: Mapping[str, Tensor], channels: ChannelSets) -> Masks:
    """Which sets are kept (count,) as masks: of these weights, and of every bias and BatchNorm entry that can go."""
    masks: Masks = {}
    for name, weight in weights.items():
        mask = keep[channels.rows[name]].view(-1, *(1,) * (weight.dim() - 1))
        if name in channels.columns:
            mask = mask & keep[channels.columns[name]].view(1, -1, *(1,) * (weight.dim() - 2))
        masks[name] = mask.expand(weight.shape).contiguous()
    free = _free(weights, channels)
    return masks | {name: keep[sets] for name, sets in channels.entries.items() if bool(free[sets].any())}


def kept_channels(alive: Mapping[str, Tensor], channels: ChannelSets) -> Tensor:
    """Which sets (count,) have something left in `alive` (masks, or weights ≠ 0): a row, a bias, a BatchNorm entry.

    Weights that `alive` does not have count as alive. A set without rows, such as an input channel, is kept.
    """
    keep = ~channels.free
    for name, sets in {**channels.rows, **channels.entries}.items():
        if name in alive:
            keep[sets[alive[name].flatten(1).any(1) if alive[name].dim() > 1 else alive[name]]] = True
        elif name in channels.rows:
            keep[sets] = True
    return keep


def _cut(sizes: Sizes, keep: Tensor, order: Tensor, sparsity: float) -> int:
    """How many sets of the order go, for the nearest number of weights; the fewer of two that are equally near."""
    whole = int(sizes.left(torch.ones_like(keep), order[:0]))
    left = sizes.left(keep, order)
    wanted = whole - round(sparsity * whole)
    if wanted - int(left[0]) > sizes.most() / 2:  # more than a cut can be off
        raise MethodError(f"the network is pruned beyond {sparsity:.4g} already; a mask only shrinks")
    if wanted < int(left[-1]):
        raise MethodError(
            f"channels can be pruned up to a sparsity of {1 - int(left[-1]) / whole:.4f} here, not {sparsity:.4g}: "
            "every layer keeps at least one"
        )
    return int((left - wanted).abs().argmin())


def _free(weights: Mapping[str, Tensor], channels: ChannelSets) -> Tensor:
    """Which sets may go: those of which every row is in one of these weights."""
    free = channels.free.clone()
    for name, sets in channels.rows.items():
        if name not in weights:
            free[sets] = False
    return free


def _reasons(weights: Mapping[str, Tensor], channels: ChannelSets) -> str:
    excluded = {name.removesuffix(".weight"): "it is excluded" for name in channels.rows if name not in weights}
    return "; ".join(f"{layer}: {reason}" for layer, reason in {**channels.held, **excluded}.items())


def _kept_before(before: Masks | None, weights: Mapping[str, Tensor], channels: ChannelSets) -> Tensor:
    """(sets,) what a level before has left, by default everything. MethodError for a mask of other units."""
    if before is None:
        return torch.ones(channels.count, dtype=torch.bool)
    keep = kept_channels(before, channels)
    expected = masks_of(keep, weights, channels)
    if before.keys() != expected.keys() or not all(torch.equal(before[name], expected[name]) for name in expected):
        raise MethodError("the mask of the level before is not one of whole channels of these layers")
    return keep


def _means(scores: Scores, before: Masks | None, channels: ChannelSets) -> Tensor:
    """(sets,) the mean score of all weights that make a set and are left; 0 for a set without any."""
    totals, counts = (torch.zeros(channels.count, dtype=torch.float64) for _ in range(2))
    for name, values in scores.items():
        kept = torch.ones(values.shape, dtype=torch.bool) if before is None else before[name]
        rows = torch.where(kept, values.detach().cpu().double(), 0.0).flatten(1).sum(1)
        totals.index_add_(0, channels.rows[name], rows)
        counts.index_add_(0, channels.rows[name], kept.flatten(1).sum(1).double())
    return totals / counts.clamp(min=1)


def _rates(scope: Scope, sizes: Sizes) -> Tensor:
    """By group of layers, the share that the scope gives to any of them; 0 where it gives none."""
    layers = [name.removesuffix(".weight") for name in sizes.layers]
    groups = sizes.groups()
    rates = torch.zeros(len(groups), dtype=torch.float64)
    for layer, rate in scope.shares(tuple(layers)).items():
        for group in set(groups[sizes.rows[layers.index(layer)] > 0].tolist()):
            if rates[group] not in (0.0, rate):
                raise MethodError(f"{layer} has channels that are tied to those of a layer with another rate")
            rates[group] = rate
    return rates
