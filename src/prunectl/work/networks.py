"""Networks from steps and states."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from prunectl.base.rng import generator, seeded
from prunectl.catalog.model import Model
from prunectl.models.initialization import initialize
from prunectl.models.lazy import materialized
from prunectl.models.weights_file import checked
from prunectl.plan.steps import Loaded, Network
from prunectl.store import layout
from prunectl.study.initial import OWN
from prunectl.training.state import load_network
from prunectl.work.tensors import read_tensors
from prunectl.work.weights import load_weights, read_weights


def empty(network: Network, seed: int) -> nn.Module:
    """The network, on the CPU, with whatever weights it was built with.

    What it draws while it is built, and no state holds (a buffer that is not persistent, an attribute, its wiring), is
    the same in every step of a seed.
    """
    return built(network.model, network.shape, network.classes, seed)


def built(model: Model, shape: tuple[int, int, int], classes: int, seed: int, purpose: str = "build") -> nn.Module:
    """The one place where networks are built."""
    with seeded(seed, purpose):
        return materialized(model.build(shape, classes), shape)


def drawn(network: Network, seed: int, purpose: str) -> nn.Module:
    """The network with its weights drawn as the study asks, for this purpose; not one whose weights are loaded."""
    assert isinstance(network.init, str)
    fresh = empty(network, seed)
    if network.init == OWN:
        own = built(network.model, network.shape, network.classes, seed, purpose)
        fresh.load_state_dict(own.state_dict())
    else:
        initialize(fresh, init=network.init, bn_init=network.bn_init, generator=generator(seed, purpose))
    return fresh


def loaded(network: Network, seed: int, file: Path) -> nn.Module:
    """The network with its weights from a file: see `weights`. Raises what its library raises."""
    assert isinstance(network.init, Loaded)
    if network.init.by_library:
        checked(file, network.init.digest)
        with seeded(seed, "build"):
            return network.model.load_pretrained(network.shape, network.classes, file)
    fresh = empty(network, seed)
    load_weights(fresh, read_weights(file, network.init.digest), network.classes)
    return fresh


def restored(network: Network, seed: int, state: Path, device: torch.device) -> nn.Module:
    """The network of a state artefact, on the device."""
    fresh = empty(network, seed)
    load_network(fresh, read_tensors(state / layout.STATE))
    return fresh.to(device)
