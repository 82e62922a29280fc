"""Networks of the catalogue built without memory or arithmetic, and what they are measured by."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from prunectl.catalog.lookup import entry_type
from prunectl.catalog.model import Model

Shape = tuple[int, int, int]
MNIST, CIFAR, IMAGENET = (1, 28, 28), (3, 32, 32), (3, 224, 224)


def model(name: str, **options: Any) -> Model:
    """An entry of the models with options as a study gives them."""
    found = entry_type("models", name).model_validate(options)
    assert isinstance(found, Model)
    return found


def built(name: str, shape: Shape, classes: int, **options: Any) -> nn.Module:
    """Its network on the meta device: shapes and no values."""
    with torch.device("meta"):
        return model(name, **options).build(shape, classes)


def trainable(network: nn.Module) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def kernels(network: nn.Module) -> int:
    """The number of weights of convolutions and linear layers, biases left out."""
    layers = (module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear))
    return sum(layer.weight.numel() for layer in layers)


def outputs(network: nn.Module, shape: Shape) -> dict[str, tuple[int, ...]]:
    """What each child of a chain makes of one image: its shape without the batch."""
    images, found = torch.empty((1, *shape), device="meta"), {}
    for name, child in network.named_children():
        images = child(images)
        found[name] = tuple(images.shape[1:])
    return found
