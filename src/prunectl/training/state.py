"""A training as named tensors and plain numbers, and back: for checkpoints, snapshots and rewinding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from prunectl.training.loop import Point, Trainee

MODEL, OPTIMIZER, LOSS = "model/", "optimizer/", "loss_sum"


def network_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and statistics, contiguous, on the CPU."""
    return {MODEL + name: _portable(tensor) for name, tensor in network.state_dict().items()}


def load_network(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put parameters and statistics into a network of the same shape."""
    network.load_state_dict(
        {name.removeprefix(MODEL): tensor for name, tensor in tensors.items() if name.startswith(MODEL)}
    )


def dump(trainee: Trainee) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The whole training: tensors (network, optimizer, running loss) and numbers (step, curve)."""
    names = [name for name, _ in trainee.network.named_parameters()]
    tensors = network_tensors(trainee.network)
    for index, kept in trainee.optimizer.state_dict()["state"].items():
        for item, value in kept.items():
            if value is not None:
                tensors[f"{OPTIMIZER}{names[index]}/{item}"] = _portable(value)
    tensors[LOSS] = _portable(trainee.loss_sum)
    numbers = {"step": trainee.step, "seen": trainee.seen, "curve": [asdict(point) for point in trainee.curve]}
    return tensors, numbers


def resume(trainee: Trainee, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
    """Bring a freshly begun training to where `dump` saw it, bit for bit."""
    load_network(trainee.network, tensors)
    load_optimizer(trainee, tensors)
    trainee.loss_sum.copy_(tensors[LOSS])
    trainee.step, trainee.seen = numbers["step"], numbers["seen"]
    trainee.curve = [Point(**point) for point in numbers["curve"]]


def load_optimizer(trainee: Trainee, tensors: Mapping[str, Tensor], masks: Mapping[str, Tensor] | None = None) -> None:
    """Give the optimizer what it kept (momentum, ...), with what belongs to pruned weights at zero."""
    state: dict[int, dict[str, Tensor]] = {}
    for index, (name, _) in enumerate(trainee.network.named_parameters()):
        prefix = f"{OPTIMIZER}{name}/"
        kept = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        for item, value in kept.items():
            if masks and name in masks and value.shape == masks[name].shape:
                kept[item] = value * masks[name]
        if kept:
            state[index] = kept
    groups = trainee.optimizer.state_dict()["param_groups"]
    trainee.optimizer.load_state_dict({"state": state, "param_groups": groups})
    _match_layout(trainee.optimizer)


def _match_layout(optimizer: torch.optim.Optimizer) -> None:
    # A resumed buffer has the layout of a file; the fused step is fastest, and its bits surest, in the weight's own.
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            for item, value in optimizer.state.get(parameter, {}).items():
                if torch.is_tensor(value) and value.shape == parameter.shape:
                    like = torch.empty_like(parameter)
                    optimizer.state[parameter][item] = like.copy_(value).detach()


def _portable(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()
