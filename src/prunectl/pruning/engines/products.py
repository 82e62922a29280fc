"""Convolutions of small images as matrix products: the same up to rounding, and faster in float64 on the CPU."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn
from torch.nn import functional

FEW_PLACES = 64
"""At or below this number of pixels, unfold and a matrix product beat conv2d (float64, on the CPU)."""


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
