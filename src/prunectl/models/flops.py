"""What a network costs to run, layer by layer."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn


def layer_flops(network: nn.Module, shape: tuple[int, int, int]) -> dict[str, int]:
    """FLOPs (two per multiply-add, biases left out) of one image in each convolution and linear layer, by weight name.

    Every weight is used once at every place of its layer's output. Nothing is computed: the network runs on the meta
    device. (torch.utils.flop_counter counts the same, and takes seconds to import.)
    """
    twin = copy.deepcopy(network).to("meta").eval()
    counts: dict[str, int] = {}

    def count(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            weight = module.weight
            assert isinstance(weight, Tensor)
            counts[f"{name}.weight"] = 2 * weight.numel() * (output.numel() // weight.shape[0])

        return hook

    for name, module in twin.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count(name))
    with torch.no_grad():
        twin(torch.empty((1, *shape), device="meta"))
    return counts
