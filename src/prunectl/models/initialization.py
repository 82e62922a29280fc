"""How a network's weights are drawn: every draw from one generator, in the order of the modules."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Generator, Tensor, nn
from torch.nn import init as draw
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm
from torch.nn.utils.parametrize import ParametrizationList

from prunectl.models.computed import set_weight

Draw = Callable[[Tensor, Generator], object]

INITIALIZATIONS: Mapping[str, Draw] = {
    # He et al. (2015), for ReLU, by fan-in: N(0, 2/n) and U(±√(6/n)); the latter is Keras' "He uniform".
    "kaiming-normal": lambda w, rng: draw.kaiming_normal_(w, nonlinearity="relu", generator=rng),
    "kaiming-uniform": lambda w, rng: draw.kaiming_uniform_(w, nonlinearity="relu", generator=rng),
    # Glorot & Bengio (2010), gain 1: variance 2/(fan-in + fan-out).
    "xavier-normal": lambda w, rng: draw.xavier_normal_(w, generator=rng),
    "xavier-uniform": lambda w, rng: draw.xavier_uniform_(w, generator=rng),
    # What nn.Conv2d and nn.Linear do by themselves: U(±1/√fan-in).
    "torch-default": lambda w, rng: draw.kaiming_uniform_(w, a=math.sqrt(5), generator=rng),
    # Saxe et al. (2014), gain √2 for ReLU.
    "orthogonal": lambda w, rng: draw.orthogonal_(w, gain=math.sqrt(2), generator=rng),
}

BN_INITIALIZATIONS: Mapping[str, Draw] = {
    "ones": lambda w, _: draw.ones_(w),
    # Frankle et al. (2021), as their code (open_lth) has it: U[0, 1].
    "uniform": lambda w, rng: draw.uniform_(w, generator=rng),
}


def initialize(network: nn.Module, *, init: str, bn_init: str, generator: Generator) -> None:
    """Draw every parameter again and reset every statistic, in place; the network must be on the generator's device.

    Biases are zero, but for "torch-default", which draws them from U(±1/√fan-in) as torch does. BatchNorm biases
    are zero. A weight that is computed from other parameters (spectral_norm, ...) is drawn as others are, and those
    parameters are set to give it. ValueError for a module with parameters that no rule covers.
    """
    for name, module in network.named_modules():
        if isinstance(module, Layer):
            _draw_layer(name, module, init, generator)
        elif isinstance(module, BatchNorm):
            module.reset_running_stats()
            if module.affine:
                BN_INITIALIZATIONS[bn_init](module.weight, generator)
                draw.zeros_(module.bias)
        elif isinstance(module, nn.GroupNorm | nn.LayerNorm | nn.RMSNorm | nn.PReLU):
            module.reset_parameters()  # constants: nothing is drawn
        elif isinstance(module, ParametrizationList):
            continue  # its parameters are those of a layer, which has been drawn
        elif next(module.parameters(recurse=False), None) is not None:
            raise ValueError(f"no rule to draw the parameters of {name or 'the network'} ({type(module).__name__})")


Layer = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear | nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d


def _draw_layer(name: str, layer: Layer, init: str, generator: Generator) -> None:
    if "bias" not in layer._parameters:
        raise ValueError(f"no rule to draw the bias of {name}, which is computed from other parameters")
    if "weight" in layer._parameters:
        if layer.weight.numel():
            INITIALIZATIONS[init](layer.weight, generator)
    else:
        drawn = torch.empty(layer.weight.shape)
        INITIALIZATIONS[init](drawn, generator)
        if not set_weight(layer, drawn):
            raise ValueError(f"no rule to draw the weight of {name}, which is computed from other parameters")
    if layer.weight.numel():
        _set_bias(layer.weight, layer.bias, init, generator)


def _set_bias(weight: Tensor, bias: Tensor | None, init: str, generator: Generator) -> None:
    if bias is None:
        return
    if init == "torch-default":
        bound = 1 / math.sqrt(weight[0].numel())
        draw.uniform_(bias, -bound, bound, generator=generator)
    else:
        with torch.no_grad():
            bias.zero_()
