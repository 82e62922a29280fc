"""From uint8 pixels to the numbers a network sees."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Normalize:
    """(pixel / 255 − mean) / std per channel, in one multiplication and one addition, in float32."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], device: torch.device) -> None:
        scale = 1 / (255 * torch.tensor(std, dtype=torch.float64))
        shift = -torch.tensor(mean, dtype=torch.float64) / torch.tensor(std, dtype=torch.float64)
        self.scale = scale.float().view(1, -1, 1, 1).to(device)
        self.shift = shift.float().view(1, -1, 1, 1).to(device)

    def __call__(self, images_NCHW: Tensor) -> Tensor:
        """float32, same shape and memory format."""
        return images_NCHW.float().mul_(self.scale).add_(self.shift)


def memory_format(network: torch.nn.Module) -> torch.memory_format:
    """The layout in which a network trains fastest: channels last if it convolves."""
    convolves = any(isinstance(module, torch.nn.Conv2d) for module in network.modules())
    return torch.channels_last if convolves else torch.contiguous_format
