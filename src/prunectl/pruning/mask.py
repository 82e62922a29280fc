"""Masks: True keeps a weight, False prunes it. From scores to masks, and masks as packed bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from prunectl.base.errors import MethodError
from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.scope import Groups, Scope, removed
from prunectl.pruning.denominator import floored
from prunectl.pruning.engines.select import lowest_among

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


def dense(weights: Mapping[str, Tensor]) -> Masks:
    """Masks that keep everything."""
    return {name: torch.ones(weight.shape, dtype=torch.bool) for name, weight in weights.items()}


def of_weights(masks: Mapping[str, Tensor]) -> Masks:
    """The masks without those of biases and BatchNorm, which only whole channels have."""
    return {name: mask for name, mask in masks.items() if mask.dim() > 1}


def sparsity_of(masks: Mapping[str, Tensor]) -> float:
    """The fraction of weights that is gone."""
    weights = of_weights(masks).values()
    return 1 - sum(int(mask.sum()) for mask in weights) / sum(mask.numel() for mask in weights)


def shuffle(masks: Mapping[str, Tensor], generator: torch.Generator) -> Masks:
    """Each layer's mask permuted at random: the count of every layer stays, the places change."""
    return {
        name: mask.flatten()[torch.randperm(mask.numel(), generator=generator)].view(mask.shape)
        for name, mask in masks.items()
    }


def prune(
    scores: Scores,
    scope: Scope,
    sparsity: float,
    *,
    generator: torch.Generator,
    before: Masks | None = None,
    invert: bool = False,
    weights: Mapping[str, Tensor] | None = None,
) -> Pruned:
    """The masks at `sparsity`: of n weights exactly round(sparsity · n) are gone, those of `before` among them.

    `invert` reverses the ranking: the highest scores go. `weights` are needed by a scope that looks at them. Raises
    MethodError for scores that are not finite, for a sparsity below that of `before`, and for one beyond the scope's
    floors.
    """
    before = before or dense(scores)
    shapes = {name: tuple(score.shape) for name, score in scores.items()}
    gone = {name: mask.numel() - int(np.count_nonzero(mask.numpy())) for name, mask in before.items()}
    if sum(gone.values()) > removed(shapes, sparsity):
        raise MethodError(f"the network is pruned beyond {sparsity:.4g} already; a mask only shrinks")
    left = None
    if scope.needs_weights and weights is not None:
        left = {name: weights[name].detach().cpu()[mask] for name, mask in before.items()}
    groups = scope.groups(shapes, sparsity, gone, left)
    ranking = _Ranking(
        scores=scores,
        before=before,
        groups=[(names, count - sum(gone[name] for name in names)) for names, count in groups],
        generator=generator,
        invert=invert,
    )
    pruned = ranking.pruned(before)
    least = {name: min(count, _alive(before[name])) for name, count in scope.kept(shapes).items()}
    if all(_alive(pruned.masks[name]) >= count for name, count in least.items()):
        return pruned
    _check_reachable(scope, before, sum(_alive(mask) for mask in pruned.masks.values()), least)
    return ranking.pruned(ranking.unprotected(least))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ranking:
    """Scores by layer, the layers that are ranked together, and how many more of their weights go."""

    scores: Scores
    before: Masks
    groups: Groups
    generator: torch.Generator
    invert: bool

    def pruned(self, candidates: Masks) -> Pruned:
        """The masks without the lowest scores of the candidates."""
        masks: Masks = {}
        tied = tied_pruned = 0
        for names, count in self.groups:
            chosen, tie = lowest_among(
                [self.scores[name] for name in names],
                [candidates[name] for name in names],
                count,
                self.generator,
                highest=self.invert,
            )
            masks |= {name: self.before[name] ^ lost for name, lost in zip(names, chosen, strict=True)}
            tied, tied_pruned = tied + tie.scores, tied_pruned + tie.pruned
        return Pruned(masks={name: masks[name] for name in self.scores}, tied=tied, tied_pruned=tied_pruned)

    def unprotected(self, least: Mapping[str, int]) -> Masks:
        """What may go once the best `least` weights of each layer stay; of equal scores the generator draws some."""
        candidates = dict(self.before)
        for name, count in least.items():
            (best,), _ = lowest_among(
                [self.scores[name]], [self.before[name]], count, self.generator, highest=not self.invert
            )
            candidates[name] = self.before[name] & ~best
        return candidates


def _alive(mask: Tensor) -> int:
    return int(np.count_nonzero(mask.numpy()))


def _check_reachable(scope: Scope, before: Masks, asked: int, least: Mapping[str, int]) -> None:
    """Raise MethodError where the floors of a scope keep more weights than a sparsity leaves."""
    total = sum(mask.numel() for mask in before.values())
    refusal = unreachable(scope, total, asked, sum(least.get(name, 0) for name in before))
    if refusal is not None:
        raise MethodError(refusal)


def unreachable(scope: Scope, total: int, left: int, least: int) -> str | None:
    """Why a scope whose floors keep `least` of `total` weights cannot leave `left` of them; None if it can."""
    if least <= left:
        return None
    return (
        f"scope {scope.label()} keeps at least {least:,} of {total:,} weights, its share of every layer: the highest "
        f"sparsity that it reaches here is {floored(1 - least / total)} (compression {floored(total / least)}), and "
        f"{1 - left / total:.6g} would leave {left:,}"
    )


def apply(masks: Mapping[str, Tensor], network: nn.Module) -> None:
    """Set the pruned weights of a network to exactly zero, in place."""
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for name, mask in masks.items():
            parameters[name].masked_fill_(~mask.to(parameters[name].device), 0.0)


def pack(masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Masks as bits, eight to a byte (numpy.packbits order), one flat uint8 tensor per layer."""
    return {name: torch.from_numpy(np.packbits(mask.numpy().reshape(-1))) for name, mask in masks.items()}


def unpack(packed: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> Masks:
    """The inverse of `pack`, given the shapes."""
    return {
        name: torch.from_numpy(
            np.unpackbits(packed[name].numpy(), count=int(np.prod(shape))).astype(bool).reshape(shape)
        )
        for name, shape in shapes.items()
    }
