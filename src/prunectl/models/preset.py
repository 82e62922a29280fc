"""Weights that a network's own code sets, as from a checkpoint: drawing a network's weights would overwrite them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prunectl.base.rng import seeded
from prunectl.catalog.model import Model
from prunectl.models.lazy import materialized


def preset(model: Model, shape: tuple[int, int, int], classes: int) -> list[str]:
    """The parameters that are the same whatever the random state is when the network is built, and not constant.

    Constants (ones of BatchNorm, zeros of biases) are usual beginnings, which hold nothing that could be lost. The
    global random state is as before. Raises whatever the network's code raises.
    """
    first, second = (_built(model, shape, classes, seed) for seed in (1, 2))
    others = dict(second.named_parameters())
    return [
        name
        for name, parameter in first.named_parameters()
        if name in others and torch.equal(parameter, others[name]) and not _constant(parameter)
    ]


def _built(model: Model, shape: tuple[int, int, int], classes: int, seed: int) -> nn.Module:
    with seeded(seed, "preset"):
        return materialized(model.build(shape, classes), shape)


def _constant(parameter: Tensor) -> bool:
    return parameter.numel() < 2 or bool((parameter == parameter.reshape(-1)[0]).all())
