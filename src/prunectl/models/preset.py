"""Weights that a network's own code sets, as from a checkpoint: drawing a network's weights would overwrite them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prunectl.base.rng import seeded
from prunectl.catalog.model import Model
from prunectl.models.lazy import materialized

FEW = 8
"""Values of which a likeness may be chance."""


def preset(model: Model, shape: tuple[int, int, int], classes: int) -> list[str]:
    """The parameters that are the same, or nearly, whatever the random state is when the network is built.

    Zeros and ones are usual beginnings of biases and scales, which hold nothing that could be lost. The global random
    state is as before. Raises whatever the network's code raises.
    """
    first, second = (_built(model, shape, classes, seed) for seed in (1, 2))
    others = dict(second.named_parameters())
    return [
        name
        for name, parameter in first.named_parameters()
        if name in others and _alike(parameter, others[name]) and not _usual(parameter)
    ]


def _built(model: Model, shape: tuple[int, int, int], classes: int, seed: int) -> nn.Module:
    with seeded(seed, "preset"):
        return materialized(model.build(shape, classes), shape)


def _usual(parameter: Tensor) -> bool:
    """Whether it is all zeros or all ones, as biases and scales begin."""
    return parameter.numel() < 2 or any(bool((parameter == value).all()) for value in (0.0, 1.0))


def _alike(one: Tensor, other: Tensor) -> bool:
    """Whether two builds have the same values, or nearly: a checkpoint and a little noise. Draws are not alike."""
    if torch.equal(one, other):
        return True
    centred, also = one - one.mean(), other - other.mean()
    return one.numel() >= FEW and bool((centred - also).norm() < 0.5 * centred.norm())
