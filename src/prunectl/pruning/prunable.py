"""Which weights may be pruned: those of convolutions and linear layers. Never biases, never BatchNorm."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from prunectl.base.errors import MethodError
from prunectl.base.text import did_you_mean

LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def prunable(network: nn.Module, exclude: Sequence[str] = ()) -> dict[str, nn.Parameter]:
    """The prunable weights by parameter name, in the network's order, without the layers excluded by name or glob.

    Raises MethodError if nothing is left, or if a pattern names no layer of the network.
    """
    layers = {name: module for name, module in network.named_modules() if isinstance(module, LAYERS)}
    for pattern in exclude:
        if not any(fnmatchcase(name, pattern) for name in layers):
            hint = did_you_mean(pattern, layers, "'{}'")
            raise MethodError(
                f"[prunable] exclude = {pattern!r} matches no layer; there are {', '.join(layers)}"
                + (f"; {hint}" if hint else "")
            )
    kept = {
        f"{name}.weight": weight_of(module)
        for name, module in layers.items()
        if not any(fnmatchcase(name, pattern) for pattern in exclude)
    }
    if not kept:
        raise MethodError("nothing to prune: the network has no convolution or linear layer that is not excluded")
    return kept


def weight_of(layer: nn.Module) -> nn.Parameter:
    """The weight of a prunable layer."""
    weight = layer.weight
    assert isinstance(weight, nn.Parameter)
    return weight
