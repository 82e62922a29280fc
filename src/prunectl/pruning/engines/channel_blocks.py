"""Blocks of m consecutive input channels at one position of the kernel, of which n weights stay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from prunectl.base.errors import MethodError
from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.pruning import mask as masking
from prunectl.pruning.engines.select import check_finite
from prunectl.pruning.prunable import layers_of, own_weight


@dataclass(frozen=True, kw_only=True, eq=False)
class Blocks:
    """The units of n-of-m pruning in one network."""

    network: nn.Module
    structure: Structure
    """Which sparsities it can reach."""
    n: int
    m: int

    def prune(
        self,
        scores: Mapping[str, Tensor],
        scope: Scope,
        sparsity: float,
        *,
        generator: torch.Generator,
        before: Masks | None = None,
        invert: bool = False,
        weights: Mapping[str, Tensor] | None = None,
    ) -> Pruned:
        """The masks that keep the n highest scores of every block, or everything at sparsity 0.

        Raises MethodError for another scope or sparsity, for layers that do not divide into blocks, for scores that
        are not finite, and where `before` has left less than n of a block.
        """
        check_finite(scores)
        reasons = [self.structure.refusal(scope, sparsity), *misfits(self.network, scores, self.m)]
        if reason := next(filter(None, reasons), None):
            raise MethodError(reason)
        kept = before or masking.dense(scores)
        if round(sparsity * self.m) == 0:
            return Pruned(masks=dict(kept), tied=0, tied_pruned=0)
        layers = {
            name: self._layer(score.detach().cpu().double() * (-1 if invert else 1), kept[name], generator)
            for name, score in scores.items()
        }
        return Pruned(
            masks={name: layer.masks for name, layer in layers.items()},
            tied=sum(layer.tied for layer in layers.values()),
            tied_pruned=sum(layer.tied_pruned for layer in layers.values()),
        )

    def shuffle(self, masks: Masks, generator: torch.Generator) -> Masks:
        """Every block permuted by itself: n of m stay, and each choice of n is equally likely."""
        return {name: _whole(_permuted(_blocks(mask, self.m), generator), mask) for name, mask in masks.items()}

    def _layer(self, score: Tensor, alive: Tensor, generator: torch.Generator) -> _Layer:
        values = _blocks(score, self.m).masked_fill(~_blocks(alive, self.m), -torch.inf)  # what is gone goes first
        if bool((values.isfinite().sum(1) < self.n).any()):
            raise MethodError(f"less than {self.n} of {self.m} weights are left of a block; a mask only shrinks")
        drawn = torch.rand(values.shape, generator=generator, dtype=torch.float64).argsort(dim=1)
        order = drawn.gather(1, values.gather(1, drawn).argsort(dim=1, stable=True))  # ascending, ties as drawn
        keep = torch.zeros_like(values, dtype=torch.bool).scatter_(1, order[:, self.m - self.n :], True)
        cut = values.gather(1, order[:, self.m - self.n - 1 : self.m - self.n])  # the highest score that goes
        tied = (values == cut) & cut.isfinite()
        return _Layer(masks=_whole(keep, score), tied=int(tied.sum()), tied_pruned=int((tied & ~keep).sum()))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Layer:
    """The mask of one layer, and its ties."""

    masks: Tensor
    tied: int
    tied_pruned: int


def misfits(network: nn.Module, weights: Mapping[str, Tensor], m: int) -> Iterator[str]:
    """One sentence with all layers whose input channels per group are no multiple of m, and the line to write."""
    wrong = {name: weight.shape[1] for name, weight in weights.items() if weight.shape[1] % m}
    if wrong:
        sizes = ", ".join(f"{name.removesuffix('.weight')} has {inputs}" for name, inputs in wrong.items())
        names = {parameter: name for name, parameter in network.named_parameters()}
        dense = [
            layer
            for layer, module in layers_of(network).items()
            if (weight := own_weight(module)) is None or names[weight] not in weights.keys() - wrong.keys()
        ]
        yield (
            f"the input channels of a layer (of each of its groups) must be a multiple of {m}: {sizes}; "
            f"leave such layers dense with [prunable] exclude = {json.dumps(dense)}"
        )


def _blocks(tensor: Tensor, m: int) -> Tensor:
    """(outputs, inputs, k_h, k_w) or (outputs, inputs) → (blocks, m), consecutive inputs in a row."""
    return tensor.movedim(1, -1).reshape(-1, m)


def _whole(blocks: Tensor, like: Tensor) -> Tensor:
    """The inverse of `_blocks`, in the shape of `like`."""
    return blocks.view(like.movedim(1, -1).shape).movedim(-1, 1).contiguous()


def _permuted(blocks: Tensor, generator: torch.Generator) -> Tensor:
    """Each row (m,) permuted at random."""
    return blocks.gather(1, torch.rand(blocks.shape, generator=generator, dtype=torch.float64).argsort(dim=1))
