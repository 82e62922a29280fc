"""Where a training's images come from: held in memory, or read as they are needed. The loop treats both alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from prunectl.base.rng import generator, seeded
from prunectl.catalog.augmentation import Augmentation, Window

Chosen = Tensor | slice
"""Which images make a batch: positions (n,), or a run of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RandomWindow:
    """What an augmentation cuts out of a picture in an epoch, drawn for each picture apart."""

    augmentation: Augmentation
    seed: int
    epoch: int

    def __call__(self, index: int, width: int, height: int) -> tuple[int, int, int, int]:
        """The window of picture `index`."""
        with seeded(self.seed, "cut", self.epoch, index):
            return self.augmentation.cut(width, height, generator(self.seed, "cut", self.epoch, index))


class Source(Protocol):
    """Images and their labels, (N,) on the device."""

    labels: Tensor

    def batches(self, chosen: Iterable[Chosen], window: Window | None = None) -> Iterator[Tensor]:
        """uint8 (n, C, H, W) on the device for each choice, in turn."""
        ...


class InMemory:
    """Images in memory, uint8 (N, C, H, W), on the device and in the layout of the network."""

    def __init__(self, images_NCHW: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images_NCHW, labels
        self.rows = _rows(images_NCHW)

    def batches(self, chosen: Iterable[Chosen], window: Window | None = None) -> Iterator[Tensor]:
        """Views for runs, copies for positions. What is in memory has been cut already."""
        assert window is None, "only images that are read from files are cut as they are read"
        return (self.images[batch] if isinstance(batch, slice) else self._picked(batch) for batch in chosen)

    def _picked(self, positions: Tensor) -> Tensor:
        """A copy in the same layout. A copy of whole rows takes a tenth of the time of `images[positions]`."""
        if self.rows is None:
            return self.images[positions]
        picked = self.rows.index_select(0, positions)
        _, *inner = self.images.stride()
        return picked.as_strided((len(positions), *self.images.shape[1:]), (picked.shape[1], *inner))


def _rows(images_NCHW: Tensor) -> Tensor | None:
    """The images as rows of memory, (N, C·H·W), without a copy; None if each is not one piece of memory."""
    for layout in (torch.contiguous_format, torch.channels_last):
        if images_NCHW.dim() == 4 and images_NCHW.is_contiguous(memory_format=layout):
            count, *image = images_NCHW.shape
            return images_NCHW.as_strided((count, math.prod(image)), (math.prod(image), 1))
    return None


def runs(count: int, size: int) -> Sequence[slice]:
    """All of `count` images in order, `size` at a time."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
