"""Small networks that tests are made of."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    """A convolution with BatchNorm around which the input is added back."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        out: Tensor = self.act(self.norm(self.conv(x)) + x)
        return out


def small_network(seed: int = 0) -> nn.Sequential:
    """BatchNorm, a residual sum, and two layers of equal size; images (1, 6, 6), 3 classes."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        Residual(4),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(36, 36, bias=False),
        nn.ReLU(),
        nn.Linear(36, 36, bias=False),
        nn.ReLU(),
        nn.Linear(36, 3),
    )
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            module.running_mean = torch.randn(4) * 0.1
            module.running_var = torch.rand(4) + 0.5
    return network


def normalized_network(seed: int = 0) -> nn.Sequential:
    """`small_network` with a BatchNorm behind every layer but the last: all channels have a scale."""
    torch.manual_seed(seed)
    layers = dict(small_network(seed).named_children())
    norms = {name: nn.BatchNorm1d(36) for name in ("6", "8")}
    for norm in norms.values():
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, std=0.1)
    ordered = OrderedDict[str, nn.Module]()
    for name, layer in layers.items():
        ordered[name] = layer
        if name in norms:
            ordered[f"{name}n"] = norms[name]
    return nn.Sequential(ordered)


def linear(network: nn.Module, name: str) -> nn.Linear:
    """A linear layer of a network, by name."""
    found = network.get_submodule(name)
    assert isinstance(found, nn.Linear)
    return found


SHAPE = (1, 6, 6)
CLASSES = 3


def batch(seed: int = 1, count: int = 12) -> tuple[Tensor, Tensor]:
    """Random images and balanced labels for `small_network`."""
    draws = torch.Generator().manual_seed(seed)
    images = torch.randn(count, *SHAPE, generator=draws)
    return images, torch.arange(count) % CLASSES
