"""Operations that treat every channel by itself, and so leave the channel graph as it is."""

from __future__ import annotations

from torch import nn

PASSING = (
    nn.Identity, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Hardswish, nn.Tanh,
    nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d,
    nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d,
    nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d,
)  # fmt: skip
"""Modules that treat every channel by itself, and of a channel of zeros make a channel of zeros."""

PASSING_CALLS = frozenset({
    "relu", "relu_", "relu6", "leaky_relu", "elu", "gelu", "silu", "hardswish", "tanh", "contiguous",
    "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
    "stochastic_depth",
})  # fmt: skip
"""Functions and methods of which the same is true. `stochastic_depth` is torchvision's, which leaves branches out."""

GATES = (nn.Sigmoid, nn.Hardsigmoid)
"""Modules that treat every channel by itself, and make no zeros of zeros: what they give can only multiply channels."""
