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

    def apply(self, images_NCHW: Tensor, generator: Generator) -> Tensor:
        """Draws N numbers in [0, 1); an image whose number is below `p` is mirrored."""
        import torch

        count = len(images_NCHW)
        mirrored = torch.rand(count, generator=generator) < self.p
        # Choosing from both versions copies whole images: 0.05 ms for 128 of CIFAR, where torch.where takes 0.29.
        raw, channels_last = in_memory_order(images_NCHW)
        both = torch.cat([raw, raw.flip(2 if channels_last else 3)])
        chosen = torch.arange(count) + count * mirrored
        images = both.index_select(0, chosen.to(raw.device))
        return images.permute(0, 3, 1, 2) if channels_last else images
