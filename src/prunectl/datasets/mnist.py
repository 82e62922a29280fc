"""MNIST and Fashion-MNIST, which has the same format."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from prunectl.catalog.dataset import Arrays, Dataset


class _Idx(Dataset):
    """60,000 + 10,000 grey images of 28×28 in four IDX files, raw or .gz, where torchvision or a user puts them."""

    shape = (1, 28, 28)
    classes = 10
    train_size = 60_000
    test_size = 10_000
    folders: ClassVar[tuple[str, ...]]
    """Where the files may be under the root, in the order of the search."""
    torchvision: ClassVar[str]
    """The class of torchvision.datasets that downloads it."""

    def arrays(self, root: Path) -> Arrays:
        """Training and test images in their published order."""
        from prunectl.datasets.idx import PARTS, read_parts
        from prunectl.datasets.locate import missing

        arrays = read_parts(root, self.folders, (self.train_size, self.test_size), self.shape[1:])
        if arrays is None:
            raise missing(self.name, root, self.folders, ", ".join(PARTS) + ", raw or .gz", self.torchvision)
        return arrays


class Mnist(_Idx):
    """LeCun, Cortes & Burges: handwritten digits of 500 writers."""

    name = "mnist"
    summary = "70,000 handwritten digits, 28x28 grey, 10 classes"
    mean = (0.13066,)
    std = (0.30811,)
    fingerprint: ClassVar[str | None] = "010634e08f145ffb35c6a8425a727a58af763bc7f2374347427613ee627b558c"
    folders = ("MNIST/raw", "mnist/raw", "MNIST", "mnist", "raw", ".")
    torchvision = "MNIST"


class FashionMnist(_Idx):
    """Xiao, Rasul & Vollgraf (2017): photographs of clothes, 7,000 of each class."""

    name = "fashion-mnist"
    summary = "70,000 photographs of clothes, 28x28 grey, 10 classes"
    mean = (0.2860,)
    std = (0.3530,)
    fingerprint = None
    balanced = True
    folders = (
        "FashionMNIST/raw", "FashionMNIST", "fashion-mnist/raw", "fashion-mnist", "raw", ".",
    )  # fmt: skip
    torchvision = "FashionMNIST"
