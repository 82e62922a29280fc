"""The arithmetic of a training's forward and backward passes. Weights, losses and optimizers are always float32.

What is not a training step is in float32: scores, metrics, BatchNorm statistics that are measured again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from prunectl.base.precision import round_products
from prunectl.catalog.recipe import Precision

TF32_CAPABILITY = (8, 0)
"""The first GPUs that have TF32: Ampere."""
REMEDY = 'write precision = "float32" in [train], or choose such a GPU with --device'
"""What to do about a refusal."""


def refusal(precision: Precision, device: torch.device) -> str | None:
    """Why a device cannot train in a precision, or None if it can.

    Where a device has no TF32, torch computes in float32 without a word; such bits must not be stored as TF32's.
    """
    if precision != "tf32":
        return None
    if device.type != "cuda":
        return f'precision = "tf32" needs a GPU of NVIDIA, and steps run on {device.type}'
    if torch.cuda.get_device_capability(device) < TF32_CAPABILITY:
        return (
            f'precision = "tf32" needs an Ampere GPU or a later one, and {torch.cuda.get_device_name(device)} is older'
        )
    return None


@contextmanager
def passes(precision: Precision) -> Iterator[None]:
    """Around the forward and the backward pass of a step; afterwards products are in full float32 again."""
    if precision != "tf32":
        yield
        return
    round_products("tf32")
    try:
        yield
    finally:
        round_products("ieee")


def forward(precision: Precision, device: torch.device) -> torch.autocast:
    """Around the forward pass of a step: with "bfloat16", torch chooses which operations are in it (autocast)."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
