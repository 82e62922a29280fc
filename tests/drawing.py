"""Code that draws from the global generators, as networks and plug-ins do, and the state of these generators."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.criterion import Criterion, Subject
from prunectl.catalog.hook import Hook, Trainee
from prunectl.catalog.metric import Metric
from prunectl.catalog.model import Model


def draws() -> float:
    """One number in [0, 3) from all the generators of the processor."""
    return float(torch.rand(())) + float(np.random.rand()) + random.random()


def disturb(seed: int) -> None:
    """Put the global generators somewhere else, as whatever was done before in the same process does."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def global_state() -> tuple[list[int], str, Any]:
    """Where the global generators of the processor are."""
    return torch.get_rng_state().tolist(), repr(np.random.get_state()), random.getstate()


class StochasticDepth(nn.Module):
    """A layer that is passed over in half of the steps, as `random` decides."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        out: Tensor = x if self.training and random.random() < 0.5 else x + self.inner(x)
        return out


class RandomFeatures(nn.Module):
    """A projection that is drawn when the network is built, and that no state holds."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.register_buffer("projection", torch.randn(inputs, width) / inputs**0.5, persistent=False)
        self.shift = float(np.random.rand())

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) → (N, width)."""
        assert isinstance(self.projection, Tensor)
        return (x @ self.projection + self.shift).cos()


def drawing_network(inputs: int, classes: int) -> nn.Sequential:
    """Random features, BatchNorm, dropout, RReLU and stochastic depth."""
    return nn.Sequential(
        nn.Flatten(),
        RandomFeatures(inputs, 16),
        nn.Linear(16, 16),
        nn.BatchNorm1d(16),
        nn.Dropout(0.3),
        nn.RReLU(),
        StochasticDepth(16),
        nn.Linear(16, classes),
    )


class Drawing(Model):
    """The same as an entry of the models."""

    name = "drawing"
    summary = "draws when it is built, and in every step"

    def _network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        return drawing_network(shape[0] * shape[1] * shape[2], classes)


class Noise(Augmentation):
    """Pays no attention to the generator that it is given."""

    name = "noise"
    summary = "adds a random number to all pixels"

    def apply(self, images_NCHW: Tensor, drawn: Tensor) -> Tensor:
        """The same shift for the whole batch."""
        return images_NCHW + int(draws() * 20)


class Guess(Criterion):
    """A score that pays no attention to the generator that it is given."""

    name = "guess"
    summary = "random, from the global generators"
    paper = "none"

    def score(self, subject: Subject) -> dict[str, Tensor]:
        """Positive scores."""
        return {name: torch.rand(weight.shape) * draws() for name, weight in subject.weights.items()}


class Noisy(Metric):
    """A metric that is drawn."""

    name = "noisy"
    summary = "random"
    head = "noisy"
    title = "noise"
    unit = "nats"
    better = "low"

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """A number for every batch."""
        return torch.tensor(draws())

    def value(self, total: Tensor, count: int) -> float:
        """The sum."""
        return float(total)


class Jolt(Hook):
    """Changes the weights at random: at the beginning, and after every step."""

    def begin(self, trainee: Trainee) -> None:
        """A jolt of all weights."""
        self.after(trainee)

    @torch.no_grad()
    def after(self, trainee: Trainee) -> None:
        """The same factor for all weights."""
        for parameter in trainee.network.parameters():
            parameter.mul_(1 + 0.01 * draws())
