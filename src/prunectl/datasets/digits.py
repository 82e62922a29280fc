"""The UCI handwritten digits, included in prunectl: see data/SOURCE.txt for authors and licence (CC BY 4.0)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from prunectl.catalog.dataset import Arrays, Dataset

DATA = Path(__file__).with_name("data")
TOTAL = 1797


class Digits(Dataset):
    """1,797 digits of 8×8 pixels by 13 writers (Alpaydin & Kaynak, 1998); the test part is every fifth of each class.

    The authors' pixels 0..16 are scaled to 0..255. The same writers are in both parts.
    """

    name = "digits"
    summary = "1,797 real handwritten digits, 8x8 grey, 10 classes; included in prunectl"
    shape = (1, 8, 8)
    classes = 10
    train_size = 1442
    test_size = 355
    mean = (0.30518,)
    std = (0.37599,)
    fingerprint: ClassVar[str | None] = "70931fb9a06056a95ec50271a64a6b29c089f1a7e185f0f3d242b5be52a6cff9"

    def arrays(self, root: Path) -> Arrays:
        """Training and test images in the authors' order; `root` is not used."""
        import numpy as np

        from prunectl.datasets.idx import read_idx
        from prunectl.datasets.subset import occurrence

        pixels = read_idx(DATA / "digits-images-idx3-ubyte.gz", (TOTAL, *self.shape[1:]))
        labels = read_idx(DATA / "digits-labels-idx1-ubyte.gz", (TOTAL,))
        images = ((pixels.astype(np.uint16) * 255 + 8) // 16).astype(np.uint8)[:, None]
        test = occurrence(labels) % 5 == 4
        return Arrays(
            train_images=images[~test],
            train_labels=labels[~test],
            test_images=images[test],
            test_labels=labels[test],
        )
