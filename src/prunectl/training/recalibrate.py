"""BatchNorm statistics measured anew: what pruning without retraining leaves wrong."""

from __future__ import annotations

import torch
from torch import nn

from prunectl.base.errors import MethodError
from prunectl.training.pixels import Normalize
from prunectl.training.source import Source, runs

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
BATCH = 500


@torch.no_grad()
def recalibrate(network: nn.Module, source: Source, normalize: Normalize) -> None:
    """Set every running mean and variance to the average over batches of all the images, in place.

    No weight changes, and no other module than BatchNorm is in training mode. Raises MethodError without BatchNorm.
    """
    norms = [module for module in network.modules() if isinstance(module, NORMS)]
    if not norms:
        raise MethodError("nothing to recalibrate: the network has no BatchNorm")
    network.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch: a cumulative average
        norm.train()
    for images in source.batches(runs(len(source.labels), BATCH)):
        network(normalize(images))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
