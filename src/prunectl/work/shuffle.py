"""Permute each layer's mask."""

from __future__ import annotations

from pathlib import Path

from prunectl.base.rng import generator
from prunectl.plan.steps import Shuffle, ShuffleChannels
from prunectl.pruning.ablation import shuffle
from prunectl.pruning.engines.channel_graph import channels_of
from prunectl.pruning.engines.channel_masks import shuffle_channels
from prunectl.pruning.mask import Pruned
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks, write_masks
from prunectl.work.networks import empty


def perform(step: Shuffle, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a mask with the same counts in other places."""
    masks = read_masks(inputs["mask"])
    assert masks is not None
    draws = generator(step.seed, "shuffle")
    if isinstance(step, ShuffleChannels):
        shuffled = shuffle_channels(masks, channels_of(empty(step.network), step.network.shape), draws)
    else:
        shuffled = shuffle(masks, draws)
    write_masks(out, Pruned(masks=shuffled, tied=0, tied_pruned=0), step.network)
