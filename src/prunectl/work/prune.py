"""Turn scores into a mask."""

from __future__ import annotations

from pathlib import Path

from prunectl.base.rng import generator
from prunectl.catalog.scope import Scope
from prunectl.plan.steps import Prune, PruneByWeights, PruneChannels
from prunectl.pruning.engines.channel_graph import channels_of
from prunectl.pruning.engines.channel_masks import prune_channels
from prunectl.pruning.mask import prune
from prunectl.store import layout
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks, write_masks
from prunectl.work.networks import empty, restored
from prunectl.work.tensors import read_tensors


def perform(step: Prune, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a mask with exactly round(sparsity · n) weights gone, or of channels, as near to that as they allow."""
    assert isinstance(step.scope, Scope)
    scores = read_tensors(inputs["scores"] / layout.SCORES)
    ties, before = generator(step.seed, "ties"), read_masks(inputs.get("before"))
    if isinstance(step, PruneChannels):
        channels = channels_of(empty(step.network), step.network.shape)
        pruned = prune_channels(
            scores, channels, step.scope, step.sparsity, generator=ties, before=before, invert=step.invert
        )
    else:
        weights = None
        if isinstance(step, PruneByWeights):
            weights = dict(restored(step.network, inputs["state"], context.device).named_parameters())
        pruned = prune(
            scores, step.scope, step.sparsity, generator=ties, before=before, invert=step.invert, weights=weights
        )
    write_masks(out, pruned, step.network)
