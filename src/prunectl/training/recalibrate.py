"""BatchNorm statistics measured again: what pruning without retraining leaves wrong."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from prunectl.base import batch_norm
from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.training.pixels import Normalize
from prunectl.training.source import Source

BATCH = 500


def recalibrate(network: nn.Module, source: Source, normalize: Normalize) -> None:
    """Set every running mean and variance to the average over batches of all the images, in place.

    The batches are drawn at random, always the same ones: data sets list their images class by class, and what
    differs between batches is in no variance. Each batch counts as often as it has images.
    No weight changes, and no other module than BatchNorm is in training mode. Raises MethodError without BatchNorm.
    """
    norms = batch_norm.batch_norms(network)
    if not norms:
        raise MethodError("nothing to recalibrate: the network has no BatchNorm")
    network.eval()
    batch_norm.measure(network, norms, (normalize(images) for images in source.batches(_batches(source.labels))))


def _batches(labels: Tensor) -> tuple[Tensor, ...]:
    """All positions in a fixed random order, in batches of at most BATCH whose sizes differ by at most one."""
    order = torch.randperm(len(labels), generator=generator(0, "recalibrate")).to(labels.device)
    return torch.tensor_split(order, math.ceil(len(labels) / BATCH))
