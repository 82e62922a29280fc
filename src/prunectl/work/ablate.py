"""Change a mask as an ablation does."""

from __future__ import annotations

from pathlib import Path

from prunectl.base.rng import generator
from prunectl.catalog.masks import Pruned
from prunectl.plan.steps import Ablate
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks, write_masks
from prunectl.work.networks import empty


def perform(step: Ablate, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a mask that keeps as many weights in other places."""
    masks = read_masks(inputs["mask"])
    assert masks is not None, "an ablation changes a mask"
    units = step.structure.units(empty(step.network, step.seed), step.network.shape)
    ablated = step.ablation.masks(masks, units, generator(step.seed, step.ablation.name))
    write_masks(out, Pruned(masks=ablated, tied=0, tied_pruned=0), step.network, step.seed)
