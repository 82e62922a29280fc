"""What every data set declares without torch, and how it comes into memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from prunectl.base.entry import Entry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Images:
    """A data set in memory: images uint8 (N, C, H, W), labels int64 (N,)."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrays:
    """A data set as it lies on the disk, before torch: images uint8 (N, C, H, W), labels uint8 (N,)."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


class Dataset(Entry):
    """A classification data set with a fixed train/test split."""

    shape: ClassVar[tuple[int, int, int]]
    """(channels, height, width) of one image."""
    classes: ClassVar[int]
    train_size: ClassVar[int]
    test_size: ClassVar[int]
    mean: ClassVar[tuple[float, ...]]
    """Per channel, of the training images scaled to [0, 1]."""
    std: ClassVar[tuple[float, ...]]
    """Per channel, over all pixels (population), of the training images scaled to [0, 1]."""
    fingerprint: ClassVar[str | None]
    """SHA-256 of the content (see `datasets/fingerprint.py`), or None where only the disk can tell."""
    balanced: ClassVar[bool] = False
    """Every class has equally many images in each part; checked where there is no fingerprint to check."""

    def arrays(self, root: Path) -> Arrays:
        """Everything, in its published order, without torch. Raises DataError: where it looked, how to get it."""
        raise NotImplementedError

    def read(self, root: Path) -> Images:
        """Everything, in its published order, as tensors. `load` also checks that it is what was declared."""
        from prunectl.datasets.load import tensors

        return tensors(self.arrays(root))
