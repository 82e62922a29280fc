"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009), as the author's binary version or as what torchvision downloads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from prunectl.catalog.dataset import Arrays, Dataset

if TYPE_CHECKING:
    from prunectl.datasets.cifar_files import Form


class _Cifar(Dataset):
    """50,000 + 10,000 colour images of 32×32, equally many of each class."""

    shape = (3, 32, 32)
    train_size = 50_000
    test_size = 10_000
    balanced = True
    torchvision: ClassVar[str]
    """The class of torchvision.datasets that downloads it."""

    def forms(self) -> tuple[Form, ...]:
        """The forms in which it is distributed, the faster one first."""
        raise NotImplementedError

    def located(self, root: Path) -> Path:
        """The folder or the archive of the first form that is complete."""
        from prunectl.datasets.cifar_files import first_of

        return first_of(self.name, root, self.forms()).where

    def download(self, root: Path) -> None:
        """Through torchvision: the form that Python reads."""
        from prunectl.datasets.download import by_torchvision

        by_torchvision(self.torchvision, root)

    def arrays(self, root: Path) -> Arrays:
        """Training and test images in their published order."""
        from prunectl.datasets.cifar_files import read_first

        return read_first(self, root, self.forms())


class Cifar10(_Cifar):
    """Ten classes, 6,000 images of each."""

    name = "cifar10"
    summary = "60,000 photographs of animals and vehicles, 32x32 colour, 10 classes"
    classes = 10
    mean = (0.49140, 0.48216, 0.44653)
    std = (0.24703, 0.24349, 0.26159)
    fingerprint: ClassVar[str | None] = "d647b8220c1a7a9c3b58bf106a31bc410d4a813af348495b7516df00a110bd67"
    torchvision = "CIFAR10"
    download_bytes = 170_500_000

    def forms(self) -> tuple[Form, ...]:
        """Six files of 10,000 images each, in both forms."""
        from prunectl.datasets.cifar_files import Form

        names = (*(f"data_batch_{part}" for part in range(1, 6)), "test_batch")
        return (
            Form(
                folder="cifar-10-batches-bin",
                archive="cifar-10-binary.tar.gz",
                names=tuple(f"{name}.bin" for name in names),
                label_bytes=1,
            ),
            Form(
                folder="cifar-10-batches-py",
                archive="cifar-10-python.tar.gz",
                names=names,
                label_key="labels",
            ),
        )


class Cifar100(_Cifar):
    """A hundred classes (the fine labels), 600 images of each."""

    name = "cifar100"
    summary = "60,000 photographs, 32x32 colour, 100 classes"
    classes = 100
    mean = (0.5071, 0.4865, 0.4409)
    std = (0.2673, 0.2564, 0.2762)
    fingerprint = None
    torchvision = "CIFAR100"
    download_bytes = 169_000_000

    def forms(self) -> tuple[Form, ...]:
        """Two files in both forms; in the binary one, a coarse label comes before each fine one."""
        from prunectl.datasets.cifar_files import Form

        return (
            Form(
                folder="cifar-100-binary",
                archive="cifar-100-binary.tar.gz",
                names=("train.bin", "test.bin"),
                label_bytes=2,
            ),
            Form(
                folder="cifar-100-python",
                archive="cifar-100-python.tar.gz",
                names=("train", "test"),
                label_key="fine_labels",
            ),
        )
