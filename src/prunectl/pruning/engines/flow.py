"""The network as a flow of non-negative numbers: for SynFlow, and for counting weights on a path."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

FEW_PLACES = 64
"""Up to so many places, an image is smaller than the weights that it meets."""
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.LeakyReLU)


def neutral_batch_norm(network: nn.Module) -> None:
    """Mean 0 and variance 1 in every BatchNorm, in place: it then only scales and shifts by its parameters."""
    for module in network.modules():
        if isinstance(module, NORMS) and module.running_mean is not None and module.running_var is not None:
            module.running_mean.zero_()
            module.running_var.fill_(1.0)


def as_products(network: nn.Module) -> None:
    """Make the convolutions of small images products of rows with the weights, in place; the same up to rounding.

    For one image of few places, a convolution in float64 on the CPU takes twice as long, forward and back: it goes
    through a large weight column by column.
    """
    for module in network.modules():
        if not isinstance(module, nn.Conv2d) or isinstance(module.padding, str):
            continue
        if module.groups == 1 and module.padding_mode == "zeros" and module.weight.device.type == "cpu":
            module.forward = partial(_product, module)  # type: ignore[method-assign]  # of a private copy


def _product(conv: nn.Conv2d, images_NCHW: Tensor) -> Tensor:
    if images_NCHW[0, 0].numel() > FEW_PLACES:
        return functional.conv2d(
            images_NCHW, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups
        )
    assert not isinstance(conv.padding, str)
    columns = functional.unfold(images_NCHW, conv.kernel_size, conv.dilation, conv.padding, conv.stride)
    rows = functional.linear(columns.transpose(1, 2).contiguous(), conv.weight.flatten(1), conv.bias)
    sides = [
        (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for side, padding, dilation, kernel, stride in zip(
            images_NCHW.shape[2:], conv.padding, conv.dilation, conv.kernel_size, conv.stride, strict=True
        )
    ]
    return rows.transpose(1, 2).reshape(len(images_NCHW), -1, *sides)


def measure_batch_norm(network: nn.Module, batches: Sequence[Tensor]) -> None:
    """Give every BatchNorm that has never seen a batch the mean statistics of these, in place.

    Its running mean and variance are 0 and 1 before that, which stand for nothing: in evaluation, each residual
    block would double the signal, and the prediction of a deep network would be 0 and 1 exactly.
    """
    fresh = [module for module in network.modules() if isinstance(module, NORMS) and _is_fresh(module)]
    if not fresh:
        return
    momenta = [module.momentum for module in fresh]
    for module in fresh:
        module.train().momentum = None  # the plain mean over batches
    with torch.no_grad():
        for images in batches:
            network(images)
    for module, momentum in zip(fresh, momenta, strict=True):
        module.eval().momentum = momentum


def _is_fresh(norm: nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d) -> bool:
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None or norm.num_batches_tracked is None:
        return False
    return not norm.num_batches_tracked and not mean.any() and bool((variance == 1).all())


def effective(network: nn.Module, masks: Mapping[str, Tensor], shape: tuple[int, int, int]) -> dict[str, Tensor]:
    """Which kept weights lie on a path of kept weights from the input to an output: bool, shaped as the masks.

    Weights become their masks, scaled to keep the flow near one; biases vanish, activations and BatchNorm pass
    everything on, maxima become means: then a weight is on a path exactly if the summed output moves with it.
    """
    twin = copy.deepcopy(network).to("cpu", torch.float64).eval()
    neutral_batch_norm(twin)
    _open(twin)
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            if parameter.dim() > 1:
                kept = masks[name].cpu().double() if name in masks else torch.ones_like(parameter)
                parameter.copy_(kept * (len(kept) / kept.sum().clamp(min=1)))
            else:
                parameter.fill_(0.0 if name.endswith("bias") else 1.0)
    weights = {name: parameter for name, parameter in twin.named_parameters() if name in masks}
    output = twin(torch.ones((1, *shape), dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(output, list(weights.values()), allow_unused=True)
    return {
        name: masks[name].cpu() & (gradient != 0)
        if gradient is not None
        else torch.zeros_like(masks[name], device="cpu")
        for (name, _), gradient in zip(weights.items(), gradients, strict=True)
    }


def _open(network: nn.Module) -> None:
    for name, child in network.named_children():
        if isinstance(child, ACTIVATIONS):
            setattr(network, name, nn.Identity())
        elif isinstance(child, nn.MaxPool2d):
            pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
            setattr(network, name, pool)
        else:
            _open(child)
