"""Which kept weights lie on a path from the input to an output."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from prunectl.base import batch_norm

ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.LeakyReLU)


def effective(network: nn.Module, masks: Mapping[str, Tensor], shape: tuple[int, int, int]) -> dict[str, Tensor]:
    """Which kept weights lie on a path of kept weights from the input to an output: bool, shaped as the masks.

    Weights become their masks, scaled to keep the flow near one; biases vanish, activations and BatchNorm pass
    everything on, maxima become means: then a weight is on a path exactly if the summed output moves with it.
    """
    twin = copy.deepcopy(network).to("cpu", torch.float64).eval()
    batch_norm.neutralize(twin)
    _open(twin)
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            if parameter.dim() > 1:
                kept = masks[name].cpu().double() if name in masks else torch.ones_like(parameter)
                parameter.copy_(kept * (len(kept) / kept.sum().clamp(min=1)))
            else:
                parameter.fill_(0.0 if name.endswith("bias") else 1.0)
    weights = {name: parameter.requires_grad_() for name, parameter in twin.named_parameters() if name in masks}
    output = twin(torch.ones((1, *shape), dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(output, list(weights.values()), allow_unused=True)
    return {
        name: masks[name].cpu() & (gradient != 0)
        if gradient is not None
        else torch.zeros_like(masks[name], device="cpu")
        for (name, _), gradient in zip(weights.items(), gradients, strict=True)
    }


def _open(network: nn.Module) -> None:
    """Replace activations by the identity and max pooling by mean pooling, in place: nothing stops the flow."""
    for name, child in network.named_children():
        if isinstance(child, ACTIVATIONS):
            setattr(network, name, nn.Identity())
        elif isinstance(child, nn.MaxPool2d):
            pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
            setattr(network, name, pool)
        else:
            _open(child)
