"""Weights that a layer computes from other parameters: spectral_norm, weight_norm and other parametrizations."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

ITERATIONS = 15
"""Power iterations after a weight was set, as many as torch takes when a spectral norm is put on a layer."""


@torch.no_grad()
def set_weight(layer: nn.Module, weight: Tensor) -> bool:
    """Set the parameters that a layer computes its weight from, in place, so that they mean this weight.

    spectral_norm divides it by its norm, and masks of torch.nn.utils.prune are put on it. False where it is not known
    how: for a parametrization without an inverse.
    """
    parameters = layer._parameters
    original, direction, length = (parameters.get(f"weight_{part}") for part in ("orig", "v", "g"))
    if parametrize.is_parametrized(layer, "weight"):
        try:
            layer.weight = weight
        except NotImplementedError:
            return False
    elif original is not None:
        original.copy_(weight)
    elif direction is not None and length is not None:
        direction.copy_(weight)
        length.copy_(_lengths(weight, length))
    else:
        return False
    _settle(layer)
    return True


def _lengths(weight: Tensor, like: Tensor) -> Tensor:
    """The norms of a weight over the dimensions that `like` has not, or has at size 1."""
    if like.dim() == 0:
        return torch.as_tensor(torch.linalg.vector_norm(weight))
    within = [dim for dim, size in enumerate(like.shape) if size == 1]
    return torch.as_tensor(torch.linalg.vector_norm(weight, dim=within, keepdim=True))


def _settle(layer: nn.Module) -> None:
    """Let the running estimate of a spectral norm follow the new weight: until then its factor is arbitrary."""
    training = layer.training
    layer.train()
    for _ in range(ITERATIONS):
        for hook in layer._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm | WeightNorm):
                hook(layer, None)
        if parametrize.is_parametrized(layer, "weight"):
            _ = layer.weight
    layer.train(training)
