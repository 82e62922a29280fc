"""Turn scores into a mask."""

from __future__ import annotations

from pathlib import Path

from prunectl.base.rng import generator
from prunectl.plan.steps import Prune
from prunectl.pruning.denominator import of_prunable
from prunectl.store import layout
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks, write_masks
from prunectl.work.networks import empty, restored
from prunectl.work.tensors import read_tensors


def perform(step: Prune, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a mask with exactly round(sparsity · n) weights gone, or as near to that as the structure allows.

    n is the number of prunable weights, or of all parameters: `of`.
    """
    weights = None
    if "state" in inputs:
        weights = dict(restored(step.network, step.seed, inputs["state"], context.device).named_parameters())
    network, scores = empty(step.network, step.seed), read_tensors(inputs["scores"] / layout.SCORES)
    pruned = step.structure.units(network, step.network.shape).prune(
        scores,
        step.scope,
        of_prunable(step.sparsity, step.of, network, scores),
        generator=generator(step.seed, "ties"),
        before=read_masks(inputs.get("before")),
        invert=step.invert,
        weights=weights,
    )
    write_masks(out, pruned, step.network, step.seed)
