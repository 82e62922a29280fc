"""Measure the BatchNorm statistics of a pruned network again."""

from __future__ import annotations

from pathlib import Path

from prunectl.plan.steps import Recalibrate
from prunectl.pruning import mask as masking
from prunectl.store import layout
from prunectl.training.pixels import memory_format
from prunectl.training.recalibrate import recalibrate
from prunectl.training.state import network_tensors
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks
from prunectl.work.material import hold, normalize_of, part_of
from prunectl.work.networks import restored
from prunectl.work.tensors import write_tensors


def perform(step: Recalibrate, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a state without optimizer: the masked weights, with the statistics that belong to them."""
    network = restored(step.network, step.seed, inputs["state"], context.device)
    masking.apply(read_masks(inputs["mask"]) or {}, network)
    network.to(memory_format=memory_format(network))
    train = part_of(step.data, "train", context)
    recalibrate(network, hold(train, memory_format(network)), normalize_of(step.data, context))
    write_tensors(out / layout.STATE, network_tensors(network))
