"""Turn scores into a mask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.base.rng import generator
from prunectl.plan.steps import Collapse, Prune, PruneRounds
from prunectl.pruning.cut import Cut
from prunectl.pruning.denominator import of_prunable
from prunectl.store import layout
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks, write_masks
from prunectl.work.networks import empty, restored
from prunectl.work.tensors import read_tensors

if TYPE_CHECKING:
    from torch import nn


def perform(step: Prune, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a mask with exactly round(sparsity · n) weights gone, or as near to that as the structure allows.

    n is the number of prunable weights, or of all parameters: `of`.
    """
    weights = None
    if "state" in inputs:
        weights = dict(restored(step.network, step.seed, inputs["state"], context.device).named_parameters())
    network, scores = empty(step.network, step.seed), read_tensors(inputs["scores"] / layout.SCORES)
    pruned = cut_of(step, network).masks(
        scores,
        of_prunable(step.sparsity, step.of, network, scores),
        generator=generator(step.seed, "ties"),
        before=read_masks(inputs.get("before")),
        weights=weights,
    )
    write_masks(out, pruned, step.network, step.seed)


def cut_of(step: Prune | PruneRounds | Collapse, network: nn.Module) -> Cut:
    """How the scores of a step's network become masks."""
    return Cut(units=step.structure.units(network, step.network.shape), scope=step.scope, invert=step.invert)
