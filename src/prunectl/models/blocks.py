"""The pieces that several families are made of. Imports torch: entries import this inside their methods."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Literal

from torch import nn

Activation = Literal["relu", "tanh"]
Pooling = Literal["max", "avg"]


def chain(*named: tuple[str, nn.Module]) -> nn.Sequential:
    """Modules applied one after the other, each under its name."""
    return nn.Sequential(OrderedDict(named))


def activation(kind: Activation) -> nn.Module:
    """ReLU or tanh, as a module."""
    return nn.ReLU() if kind == "relu" else nn.Tanh()


def pool(kind: Pooling) -> nn.Module:
    """Max or average pooling of 2×2 with stride 2."""
    return nn.MaxPool2d(2) if kind == "max" else nn.AvgPool2d(2)


def conv3x3(inputs: int, outputs: int, *, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A 3×3 convolution that keeps height and width at stride 1."""
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)


def conv1x1(inputs: int, outputs: int, *, stride: int = 1) -> nn.Conv2d:
    """A 1×1 convolution without bias."""
    return nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)


def plain_stack(
    plan: Iterable[int | str], channels: int, *, bias: bool, momentum: float
) -> list[tuple[str, nn.Module]]:
    """3×3 convolutions, each with BatchNorm and ReLU, as many channels as the plan's numbers; "M" halves the image."""
    named: list[tuple[str, nn.Module]] = []
    convs = pools = 0
    for item in plan:
        if isinstance(item, int):
            convs += 1
            named += [
                (f"conv{convs}", conv3x3(channels, item, bias=bias)),
                (f"bn{convs}", nn.BatchNorm2d(item, momentum=momentum)),
                (f"relu{convs}", nn.ReLU()),
            ]
            channels = item
        else:
            pools += 1
            named.append((f"pool{pools}", nn.MaxPool2d(2)))
    return named
