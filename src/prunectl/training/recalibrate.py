"""BatchNorm statistics measured again: pruning without retraining leaves them wrong."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.training.pixels import Normalize
from prunectl.training.source import Source

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
BATCH = 500


@torch.no_grad()
def recalibrate(network: nn.Module, source: Source, normalize: Normalize) -> None:
    """Set every running mean and variance to the average over batches of all the images, in place.

    The batches are drawn at random, always the same ones: data sets list their images class by class, and what
    differs between batches is in no variance. Each batch counts as often as it has images.
    No weight changes, and no other module than BatchNorm is in training mode. Raises MethodError without BatchNorm.
    """
    norms = [module for module in network.modules() if isinstance(module, NORMS)]
    if not norms:
        raise MethodError("nothing to recalibrate: the network has no BatchNorm")
    network.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
    seen = 0
    for images in source.batches(_batches(source.labels)):
        seen += len(images)
        for norm in norms:
            norm.momentum = len(images) / seen  # an average over the images so far
        network(normalize(images))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _batches(labels: Tensor) -> tuple[Tensor, ...]:
    """All positions in a fixed random order, in batches of at most BATCH whose sizes differ by one at most."""
    order = torch.randperm(len(labels), generator=generator(0, "recalibrate")).to(labels.device)
    return torch.tensor_split(order, math.ceil(len(labels) / BATCH))
