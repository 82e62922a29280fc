"""Data sets of arrays that are larger than memory: memory-mapped files, of which batches are read as they are needed.

A data set's `arrays` gives them by `numpy.load("images.npy", mmap_mode="r")`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prunectl.catalog.augmentation import Window
from prunectl.catalog.dataset import Arrays
from prunectl.catalog.metric import Part
from prunectl.datasets.subset import balanced, divided


def is_mapped(arrays: Arrays) -> bool:
    """Whether the images of a data set are in memory-mapped files."""
    return isinstance(arrays.train_images, np.memmap)


class Mapped:
    """Images of a memory-mapped file at some positions: a `Source` of training."""

    def __init__(
        self,
        images_NCHW: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        positions: NDArray[np.int64] | None,
        device: torch.device,
    ) -> None:
        self.images = images_NCHW
        self.positions = np.arange(len(labels)) if positions is None else positions
        self.device = device
        self.labels: Tensor = torch.from_numpy(labels[self.positions].astype(np.int64)).to(device)

    @property
    def size_bytes(self) -> int:
        """Of the images, in memory."""
        return len(self.positions) * int(np.prod(self.images.shape[1:]))

    def batches(self, chosen: Iterable[Tensor | slice], window: Window | None = None) -> Iterator[Tensor]:
        """uint8 (n, C, H, W) on the device for each choice, in turn, read from the file."""
        assert window is None, "only pictures are cut as they are read"
        for batch in chosen:
            places = self.positions[batch if isinstance(batch, slice) else batch.cpu().numpy()]
            yield torch.from_numpy(np.array(self.images[places])).to(self.device)


def mapped(
    arrays: Arrays, part: Part, *, limit: int | None, validation: int, name: str, device: torch.device
) -> Mapped:
    """A part of a data set on the disk, limited as one in memory. Raises DataError for too few images."""
    if part == "test":
        images, labels = arrays.test_images, arrays.test_labels
        positions = None if limit is None else balanced(labels, min(limit, len(labels)))
        return Mapped(images, labels, positions, device)
    images, labels = arrays.train_images, arrays.train_labels
    if validation:
        division = divided(labels, validation=validation, limit=limit, name=name)
        return Mapped(images, labels, division.train if part == "train" else division.validation, device)
    return Mapped(images, labels, None if limit is None else balanced(labels, min(limit, len(labels))), device)
