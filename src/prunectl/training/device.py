"""Copies to the device that nothing waits for, and the rate of an optimizer that lies there."""

from __future__ import annotations

import torch
from torch import Tensor


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU on the device. A GPU is sent it from pinned memory, while the program goes on."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def make_capturable(optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    """Let a fresh optimizer of a GPU keep there what a recorded step changes or is given: counters, and the rate.

    Called steps read the rate there, too: in float32, it is another number than on the CPU.
    """
    for group in optimizer.param_groups:
        group["lr"] = torch.zeros((), dtype=torch.float32, device=device)
        if "capturable" in group:
            group["capturable"] = True
    vars(optimizer)["_warned_capturable_if_run_uncaptured"] = True  # the first steps are called, and torch would warn


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step: a number, or the content of the tensor that is there in its place."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate
