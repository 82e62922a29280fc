"""MNIST and Fashion-MNIST, which has the same format."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from prunectl.base.errors import DataError
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

    def located(self, root: Path) -> Path:
        """The folder of the four files."""
        from prunectl.datasets.idx import parts_of

        if paths := parts_of(root, self.folders):
            return paths[0].parent
        raise self._missing(root)

    def _missing(self, root: Path) -> DataError:
        from prunectl.datasets.idx import PARTS
        from prunectl.datasets.locate import missing

        return missing(self.name, root, self.folders, ", ".join(PARTS) + ", raw or .gz")

    def download(self, root: Path) -> None:
        """Through torchvision."""
        from prunectl.datasets.download import by_torchvision

        by_torchvision(self.torchvision, root)

    def arrays(self, root: Path) -> Arrays:
        """Training and test images in their published order."""
        from prunectl.datasets.idx import read_parts

        arrays = read_parts(root, self.folders, (self.train_size, self.test_size), self.shape[1:])
        if arrays is None:
            raise self._missing(root)
        return arrays


class Mnist(_Idx):
    """LeCun, Cortes & Burges: handwritten digits of 500 writers."""

    name = "mnist"
    summary = "70,000 handwritten digits, 28x28 grey, 10 classes"
    mean = (0.13066,)
    std = (0.30811,)
    fingerprint: ClassVar[str | None] = "010634e08f145ffb35c6a8425a727a58af763bc7f2374347427613ee627b558c"
    download_bytes = 11_600_000
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
    download_bytes = 30_900_000
    folders = (
        "FashionMNIST/raw", "FashionMNIST", "fashion-mnist/raw", "fashion-mnist", "raw", ".",
    )  # fmt: skip
    torchvision = "FashionMNIST"
