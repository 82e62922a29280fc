"""Mirror images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from prunectl.catalog.augmentation import Augmentation
from prunectl.training.augmentations.memory import in_memory_order

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Flip(Augmentation):
    """Mirror left and right with probability `p`."""

    name = "flip"
    summary = "mirror left and right with probability `p`"

    p: Annotated[float, Field(gt=0, le=1)] = 0.5

    def draw(self, count: int, generator: Generator) -> Tensor:
        """Bool (N,): of N numbers in [0, 1), which are below `p`."""
        import torch

        return torch.rand(count, generator=generator) < self.p

    def apply(self, images_NCHW: Tensor, drawn: Tensor) -> Tensor:
        """The images that were drawn are mirrored."""
        import torch

        count = len(images_NCHW)
        # Choosing from both versions copies whole images: 0.05 ms for 128 of CIFAR, where torch.where takes 0.29.
        raw, channels_last = in_memory_order(images_NCHW)
        both = torch.cat([raw, raw.flip(2 if channels_last else 3)])
        chosen = torch.arange(count, device=raw.device) + count * drawn
        images = both.index_select(0, chosen)
        return images.permute(0, 3, 1, 2) if channels_last else images
