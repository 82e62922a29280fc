"""Networks and optimizers as named tensors, and back: for checkpoints, snapshots and rewinding."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

MODEL, OPTIMIZER, LOSS, RIGHT, MASK, HOOK = "model/", "optimizer/", "loss_sum", "right", "mask/", "hook/"


def network_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and statistics, contiguous, on the CPU."""
    return {MODEL + name: portable(tensor) for name, tensor in network.state_dict().items()}


def load_network(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put parameters and statistics into a network of the same shape."""
    network.load_state_dict(under(MODEL, tensors))


def optimizer_tensors(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimizer keeps of each parameter (momentum, ...), contiguous, on the CPU."""
    names = [name for name, _ in network.named_parameters()]
    return {
        f"{OPTIMIZER}{names[index]}/{item}": portable(value)
        for index, kept in optimizer.state_dict()["state"].items()
        for item, value in kept.items()
        if value is not None
    }


def load_optimizer(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    tensors: Mapping[str, Tensor],
    masks: Mapping[str, Tensor] | None = None,
) -> None:
    """Give the optimizer what it kept of each parameter, with what belongs to pruned weights at zero."""
    state: dict[int, dict[str, Tensor]] = {}
    for index, (name, _) in enumerate(network.named_parameters()):
        kept = under(f"{OPTIMIZER}{name}/", tensors)
        for item, value in kept.items():
            if masks and name in masks and value.shape == masks[name].shape:
                kept[item] = value * masks[name]
        if kept:
            state[index] = kept
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    _match_layout(optimizer)


def _match_layout(optimizer: torch.optim.Optimizer) -> None:
    # A resumed buffer has the layout of a file; the fused step is fastest, and its bits surest, in the weight's own.
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            for item, value in optimizer.state.get(parameter, {}).items():
                if torch.is_tensor(value) and value.shape == parameter.shape:
                    like = torch.empty_like(parameter)
                    optimizer.state[parameter][item] = like.copy_(value).detach()


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def portable(tensor: Tensor) -> Tensor:
    """A contiguous copy on the CPU."""
    return tensor.detach().to("cpu", copy=True).contiguous()
