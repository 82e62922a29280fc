"""Structured pruning: whole channels of convolutions and rows of linear layers (seed 003; Renda et al. 2020).

A set of channels that live and die together (`channels.py`) is ranked by the mean score of the weights that make it,
over all its rows in all layers: with magnitude, by mean |w|. A set that goes takes with it the rows that make it, the
columns that read it, and its biases and BatchNorm entries: it is zero wherever it is seen, and `compact.py` can leave
it out.

`sparsity` is the fraction of prunable *weights*, as everywhere. Channels go one by one, lowest first, and the cut is
where the number of weights gone is nearest to round(sparsity · n): above or below it, by at most half of what the
channel at the cut takes along. The best channel of every layer stays.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from prunectl.base.errors import MethodError
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.rounds import Rounds
from prunectl.catalog.scope import Scope
from prunectl.pruning import mask as masking
from prunectl.pruning.engines.channel_graph import Channels, channels_of
from prunectl.pruning.engines.channel_ranking import ORDERS, Ranking, ties
from prunectl.pruning.engines.select import all_finite
from prunectl.pruning.mask import Masks, Pruned
from prunectl.pruning.scopes.rates import Rates
from prunectl.pruning.scoring import score

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Batch, Scores


def prune_channels(
    scores: Scores,
    channels: Channels,
    scope: Scope,
    sparsity: float,
    *,
    generator: torch.Generator,
    before: Masks | None = None,
    invert: bool = False,
) -> Pruned:
    """The masks at `sparsity`, of weights, biases and BatchNorm parameters; those of `before` are gone among them.

    Scope "global" ranks all channels together; "layerwise" takes the same fraction of channels from every layer,
    "rates" fractions in proportion to its rates. Layers that were not scored keep their rows. Ties, in channels, are
    drawn from `generator`. Raises MethodError for scores that are not finite, a sparsity below that of `before` or
    beyond what one channel per layer leaves, and where nothing may go.
    """
    sizes = _Sizes.of(scores, channels)
    keep = torch.ones(channels.count, dtype=torch.bool) if before is None else _kept_before(before, scores, channels)
    candidates = (_free(scores, channels) & keep).nonzero().flatten()
    if len(candidates) == 0:
        raise MethodError(f"nothing to prune: no channel of this network may go ({_reasons(scores, channels)})")
    groups = sizes.groups()
    ranking = Ranking(
        values=_means(scores, before, channels)[candidates] * (-1 if invert else 1),
        groups=groups[candidates],
        gone=torch.bincount(groups[~keep], minlength=channels.count),
        size=torch.bincount(groups, minlength=channels.count),
        rates=_rates(scope, sizes) if isinstance(scope, Rates) else None,
        draw=torch.randperm(len(candidates), generator=generator),
    )
    order = ORDERS[_known(scope)](ranking)
    order = order[~sizes.last(candidates[order])]
    count = _cut(sizes, keep, candidates[order], sparsity)
    keep = keep.clone()
    keep[candidates[order[:count]]] = False
    tied, tied_pruned = ties(ranking, order[:count], together=_known(scope) == "global")
    return Pruned(masks=masks_of(keep, scores, channels), tied=tied, tied_pruned=tied_pruned)


def prune_channels_in_rounds(
    criterion: Criterion,
    network: nn.Module,
    scope: Scope,
    sparsity: float,
    rounds: Rounds,
    *,
    exclude: Sequence[str] = (),
    batches: Sequence[Batch] = (),
    shape: tuple[int, int, int],
    generator: torch.Generator,
    before: Masks | None = None,
    invert: bool = False,
    notes: dict[str, float] | None = None,
) -> Pruned:
    """Score, prune a few channels, score what is left, ...: as `prune_in_rounds`, for channels."""
    channels = channels_of(network, shape)
    pruned: Pruned | None = None
    for target in rounds.targets(sparsity):
        masks = before if pruned is None else pruned.masks
        if masks is not None and pruned is None and target < _sparsity(masks) and target != sparsity:
            continue  # an earlier level has come further than this round asks
        left = copy.deepcopy(network)
        masking.apply(masks or {}, left)
        scores = score(
            criterion, left, exclude=exclude, masks=None if masks is None else _of_weights(masks), batches=batches,
            shape=shape, generator=generator, notes=notes,
        )  # fmt: skip
        pruned = prune_channels(scores, channels, scope, target, generator=generator, before=masks, invert=invert)
    assert pruned is not None
    return pruned


def shuffle_channels(masks: Masks, channels: Channels, generator: torch.Generator) -> Masks:
    """The ablation for channels: which of a layer's channels are gone is drawn anew, how many stays.

    Sets change places with sets of the same layers only, so that all counts of all layers stay as they are.
    """
    weights = _of_weights(masks)
    keep = kept_channels(masks, channels)
    groups = _Sizes.of(weights, channels).groups()
    free = _free(weights, channels)
    shuffled = keep.clone()
    for group in set(groups[free].tolist()):
        places = (free & (groups == group)).nonzero().flatten()
        shuffled[places] = keep[places][torch.randperm(len(places), generator=generator)]
    return masks_of(shuffled, weights, channels)


def masks_of(keep: Tensor, weights: Mapping[str, Tensor], channels: Channels) -> Masks:
    """Which sets are kept (count,) as masks: of these weights, and of every bias and BatchNorm entry that can go."""
    masks: Masks = {}
    for name, weight in weights.items():
        mask = keep[channels.rows[name]].view(-1, *(1,) * (weight.dim() - 1))
        if name in channels.columns:
            mask = mask & keep[channels.columns[name]].view(1, -1, *(1,) * (weight.dim() - 2))
        masks[name] = mask.expand(weight.shape).contiguous()
    free = _free(weights, channels)
    return masks | {name: keep[sets] for name, sets in channels.entries.items() if bool(free[sets].any())}


def kept_channels(alive: Mapping[str, Tensor], channels: Channels) -> Tensor:
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


def _known(scope: Scope) -> str:
    name = str(scope.preimage()["name"])  # "uniform" is "layerwise" there
    if name not in ORDERS:
        raise MethodError(
            f'scope {scope.name!r} spreads single weights; with structure = "channels" it is one of {", ".join(ORDERS)}'
        )
    return name


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sizes:
    """How many rows and columns of each layer each set has. Scored layers come first, in the order of the scores."""

    layers: tuple[str, ...]
    rows: Tensor
    """(layers, sets)."""
    columns: Tensor
    """(scored, sets); all zero for a grouped convolution."""
    area: Tensor
    """(scored,) weights for each row and column: the size of a kernel."""

    @classmethod
    def of(cls, weights: Mapping[str, Tensor], channels: Channels) -> _Sizes:
        missing = [name for name in weights if name not in channels.rows]
        if missing:
            raise MethodError(f"the network never calls {', '.join(missing)}")
        none = torch.zeros(0, dtype=torch.long)
        layers = (*weights, *(name for name in channels.rows if name not in weights))
        rows = [torch.bincount(channels.rows[name], minlength=channels.count) for name in layers]
        columns = [torch.bincount(channels.columns.get(name, none), minlength=channels.count) for name in weights]
        area = [
            weight.numel() // (len(channels.rows[name]) * len(channels.columns.get(name, (0,))))
            for name, weight in weights.items()
        ]
        return cls(layers=layers, rows=torch.stack(rows), columns=torch.stack(columns), area=torch.tensor(area))

    def groups(self) -> Tensor:
        """(sets,) a number for each combination of layers that sets have rows in."""
        found: Tensor = torch.unique(self.rows > 0, dim=1, return_inverse=True)[1]
        return found

    def last(self, order: Tensor) -> Tensor:
        """(n,) bool: which of these sets, in the order in which they go, are the last of a layer."""
        found = torch.zeros(len(order), dtype=torch.bool)
        for present in self.rows[:, order] > 0:
            found[present.nonzero().flatten()[-1:]] = True
        return found

    def left(self, keep: Tensor, order: Tensor) -> Tensor:
        """(n + 1,) how many scored weights are left after none, one, two, ... of the sets in this order."""
        total = torch.zeros(len(order) + 1, dtype=torch.long)
        for rows, columns, area in zip(self.rows, self.columns, self.area, strict=False):
            lost = [torch.cat([torch.zeros(1, dtype=torch.long), sizes[order].cumsum(0)]) for sizes in (rows, columns)]
            inputs = columns[keep].sum() if bool(columns.any()) else torch.tensor(1)
            total += (rows[keep].sum() - lost[0]) * (inputs - lost[1]) * area
        return total

    def most(self) -> int:
        """The most weights that a single set takes along from the whole network."""
        rows, columns = self.rows[: len(self.area)], self.columns
        outputs, inputs = rows.sum(1, keepdim=True), columns.sum(1, keepdim=True).clamp(min=1)
        return int(((outputs * inputs - (outputs - rows) * (inputs - columns)) * self.area[:, None]).sum(0).max())


def _cut(sizes: _Sizes, keep: Tensor, order: Tensor, sparsity: float) -> int:
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


def _free(weights: Mapping[str, Tensor], channels: Channels) -> Tensor:
    """Which sets may go: those of which every row is in one of these weights."""
    free = channels.free.clone()
    for name, sets in channels.rows.items():
        if name not in weights:
            free[sets] = False
    return free


def _reasons(weights: Mapping[str, Tensor], channels: Channels) -> str:
    excluded = {name.removesuffix(".weight"): "it is excluded" for name in channels.rows if name not in weights}
    return "; ".join(f"{layer}: {reason}" for layer, reason in {**channels.held, **excluded}.items())


def _kept_before(before: Masks, weights: Mapping[str, Tensor], channels: Channels) -> Tensor:
    keep = kept_channels(before, channels)
    expected = masks_of(keep, weights, channels)
    if before.keys() != expected.keys() or not all(torch.equal(before[name], expected[name]) for name in expected):
        raise MethodError("the mask of the level before is not one of whole channels of these layers")
    return keep


def _means(scores: Scores, before: Masks | None, channels: Channels) -> Tensor:
    """(sets,) the mean score of all weights that make a set and are left; 0 for a set without any."""
    totals, counts = (torch.zeros(channels.count, dtype=torch.float64) for _ in range(2))
    for name, values in scores.items():
        if not all_finite(values):
            raise MethodError(f"scores of {name} are not finite; no ranking can be made of them")
        kept = torch.ones(values.shape, dtype=torch.bool) if before is None else before[name]
        rows = torch.where(kept, values.detach().cpu().double(), 0.0).flatten(1).sum(1)
        totals.index_add_(0, channels.rows[name], rows)
        counts.index_add_(0, channels.rows[name], kept.flatten(1).sum(1).double())
    return totals / counts.clamp(min=1)


def _rates(scope: Rates, sizes: _Sizes) -> Tensor:
    """By group of layers, the rate that is given for any of them."""
    layers = [name.removesuffix(".weight") for name in sizes.layers]
    groups = sizes.groups()
    found = torch.zeros(len(groups), dtype=torch.float64)
    for layer, rate in scope.by_layer(tuple(layers)).items():
        for group in set(groups[sizes.rows[layers.index(layer)] > 0].tolist()):
            if found[group] not in (0.0, rate):
                raise MethodError(f"{layer} has channels that are tied to those of a layer with another rate")
            found[group] = rate
    return found


def _of_weights(masks: Mapping[str, Tensor]) -> Masks:
    return {name: mask for name, mask in masks.items() if mask.dim() > 1}


def _sparsity(masks: Mapping[str, Tensor]) -> float:
    weights = _of_weights(masks).values()
    return 1 - sum(int(mask.sum()) for mask in weights) / sum(mask.numel() for mask in weights)
