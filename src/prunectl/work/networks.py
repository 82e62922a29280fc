"""Networks from steps and states."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from prunectl.catalog.model import Model
from prunectl.models.initialization import initialize
from prunectl.models.lazy import materialized
from prunectl.plan.steps import Network
from prunectl.store import layout
from prunectl.training.state import load_network
from prunectl.work.tensors import read_tensors


def empty(network: Network) -> nn.Module:
    """The network, on the CPU, with whatever weights it was built with."""
    assert isinstance(network.model, Model)
    return materialized(network.model.build(network.shape, network.classes), network.shape)


def drawn(network: Network, generator: torch.Generator) -> nn.Module:
    """The network with its weights drawn as the study asks; not one whose weights are loaded."""
    assert isinstance(network.init, str)
    built = empty(network)
    initialize(built, init=network.init, bn_init=network.bn_init, generator=generator)
    return built


def restored(network: Network, state: Path, device: torch.device) -> nn.Module:
    """The network of a state artefact, on the device."""
    built = empty(network)
    load_network(built, read_tensors(state / layout.STATE))
    return built.to(device)
