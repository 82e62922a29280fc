"""Networks from steps and states."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from prunectl.base.rng import seeded
from prunectl.catalog.model import Model
from prunectl.models.initialization import initialize
from prunectl.models.lazy import materialized
from prunectl.plan.steps import Network
from prunectl.store import layout
from prunectl.training.state import load_network
from prunectl.work.tensors import read_tensors


def empty(network: Network, seed: int) -> nn.Module:
    """The network, on the CPU, with whatever weights it was built with.

    What it draws while it is built, and no state holds (a buffer that is not persistent, an attribute, its wiring), is
    the same in every step of a seed.
    """
    assert isinstance(network.model, Model)
    return built(network.model, network.shape, network.classes, seed)


def built(model: Model, shape: tuple[int, int, int], classes: int, seed: int) -> nn.Module:
    """The one place where networks are built."""
    with seeded(seed, "build"):
        return materialized(model.build(shape, classes), shape)


def drawn(network: Network, seed: int, generator: torch.Generator) -> nn.Module:
    """The network with its weights drawn as the study asks; not one whose weights are loaded."""
    assert isinstance(network.init, str)
    fresh = empty(network, seed)
    initialize(fresh, init=network.init, bn_init=network.bn_init, generator=generator)
    return fresh


def restored(network: Network, seed: int, state: Path, device: torch.device) -> nn.Module:
    """The network of a state artefact, on the device."""
    fresh = empty(network, seed)
    load_network(fresh, read_tensors(state / layout.STATE))
    return fresh.to(device)
