"""Networks as people bring them, each unusual in one way; images (1, 6, 6), 3 classes, as those of `networks.py`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from networks import CLASSES


class Plain(nn.Module):
    """A convolution with BatchNorm, a residual sum and two linear layers, 'fc' and 'head'."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(3)
        self.fc = nn.Linear(16, 8)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        inner = self.act(self.norm(self.conv1(images)))
        inner = self.pool(self.act(self.conv2(inner) + inner))
        logits: Tensor = self.head(self.act(self.fc(inner.flatten(1))))
        return logits


class InPlace(Plain):
    """The same sums and activations in place."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU(inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        inner = self.act(self.norm(self.conv1(images)))
        out = self.conv2(inner)
        out += inner
        logits: Tensor = self.head(self.act(self.fc(self.pool(self.act(out)).flatten(1))))
        return logits


class WithAux(Plain):
    """An auxiliary head that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.aux = nn.Linear(16, CLASSES)


class AuxInTraining(WithAux):
    """An auxiliary head that is called in training alone, and left out of the logits in evaluation."""

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        logits = super().forward(images)
        if self.training:
            inner = self.pool(self.act(self.norm(self.conv1(images))))
            logits = logits + 0.3 * self.aux(inner.flatten(1))
        return logits


class Functional(Plain):
    """A layer whose weight is used without calling it."""

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        inner = self.pool(self.act(self.norm(self.conv1(images)))).flatten(1)
        logits: Tensor = self.head(self.act(functional.linear(inner, self.fc.weight, self.fc.bias)))
        return logits


class Detached(Plain):
    """Convolutions that no gradient reaches."""

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        with torch.no_grad():
            inner = self.pool(self.act(self.norm(self.conv1(images)))).flatten(1)
        logits: Tensor = self.head(self.act(self.fc(inner)))
        return logits


class ChangesImages(Plain):
    """Normalises the caller's images in place."""

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        images -= 0.5
        return super().forward(images)


class Returning(Plain):
    """Gives something else than a tensor of logits, perhaps in training alone."""

    def __init__(self, give: Callable[[Tensor], object], *, always: bool = True) -> None:
        super().__init__()
        self.give, self.always = give, always

    def forward(self, images: Tensor) -> Tensor:
        """Not only logits."""
        logits = super().forward(images)
        return self.give(logits) if self.always or self.training else logits  # type: ignore[return-value]


def frozen() -> nn.Module:
    """A layer that does not learn."""
    network = Plain()
    network.conv2.requires_grad_(False)
    return network


def channels_last() -> nn.Module:
    """Weights that are stored with their channels last."""
    return Plain().to(memory_format=torch.channels_last)


def transposed() -> nn.Module:
    """A weight that is a transposed matrix in memory."""
    network = Plain()
    network.fc.weight = nn.Parameter(torch.full((16, 8), 0.1).t())
    return network


def tied() -> nn.Module:
    """Two linear layers of one weight, after a convolution that is called twice."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
    network.extend([nn.ReLU(), nn.Linear(6, CLASSES)])
    network[5].weight = network[3].weight
    return network


def two_names() -> nn.Module:
    """One layer under two names, called once."""
    network = Plain()
    network.alias = network.fc
    return network


def lazy() -> nn.Module:
    """Layers that learn their input channels from the first image."""
    network = Plain()
    network.conv2, network.fc = nn.LazyConv2d(4, 3, padding=1), nn.LazyLinear(8)
    return network


def normalized(wrap: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """A layer whose weight is computed from other parameters."""
    network = Plain()
    network.fc = wrap(network.fc)  # type: ignore[assignment]  # the same layer
    return network
