"""Lazy modules, whose parameters have no shape until they have seen an input."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.parameter import is_lazy


def materialized(network: nn.Module, shape: tuple[int, int, int]) -> nn.Module:
    """The network with a shape for each of its parameters, in place: lazy modules are shown an image of zeros.

    `shape` (C, H, W) is that of the images. A network without lazy modules is not run.
    """
    if any(map(is_lazy, [*network.parameters(), *network.buffers()])):
        training = network.training
        with torch.no_grad():
            network.eval()(torch.zeros((1, *shape)))
        network.train(training)
    return network
