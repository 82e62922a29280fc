"""Turn scores into a mask."""

from __future__ import annotations

from pathlib import Path

from prunectl.base.rng import generator
from prunectl.plan.steps import Prune
from prunectl.store import layout
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks, write_masks
from prunectl.work.networks import empty, restored
from prunectl.work.tensors import read_tensors


def perform(step: Prune, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a mask with exactly round(sparsity · n) weights gone, or as near to that as the structure allows."""
    weights = None
    if "state" in inputs:
        weights = dict(restored(step.network, step.seed, inputs["state"], context.device).named_parameters())
    pruned = step.structure.units(empty(step.network, step.seed), step.network.shape).prune(
        read_tensors(inputs["scores"] / layout.SCORES),
        step.scope,
        step.sparsity,
        generator=generator(step.seed, "ties"),
        before=read_masks(inputs.get("before")),
        invert=step.invert,
        weights=weights,
    )
    write_masks(out, pruned, step.network, step.seed)
