"""What every data set declares without torch, and how it is read into memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrays:
    """A data set as read from the disk, before torch: images uint8 (N, C, H, W), labels uint8 (N,)."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What a plan must know about a data set: its identity and its sizes."""

    fingerprint: str
    """See `datasets/fingerprint.py`; each step compares it with that of the files it reads."""
    shape: tuple[int, int, int]
    """(channels, height, width) of one image."""
    classes: int
    train_size: int
    test_size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a data set declares before its files are read; None where only they have it."""

    shape: tuple[int, int, int] | None
    classes: int | None
    train_size: int | None
    test_size: int | None


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
    """SHA-256 of the content (see `datasets/fingerprint.py`), or None where only the files on the disk have it."""
    balanced: ClassVar[bool] = False
    """Every class has equally many images in each part; checked where there is no fingerprint to check."""

    in_files: ClassVar[bool] = False
    """Whether it consists of pictures in files, cut as they are read; see `datasets/pictures.py`."""
    needs_root: ClassVar[bool] = False
    """It has no usual place under the data directory: each study names its folder."""
    download_bytes: ClassVar[int | None] = None
    """What `download` transfers, about; None for a data set that has no `download`."""
    imports: ClassVar[tuple[str, ...]] = ()
    """Slow modules that reading its images needs: imported once, not by each step."""

    @classmethod
    def dispensable(cls) -> frozenset[str]:
        """With pictures in files: `arrays`, and the sizes, which the disk decides."""
        return frozenset({"arrays", "classes", "train_size", "test_size"} if cls.in_files else ())

    def known(self) -> Known:
        """The sizes that are declared."""
        return Known(
            shape=getattr(self, "shape", None),
            classes=getattr(self, "classes", None),
            train_size=getattr(self, "train_size", None),
            test_size=getattr(self, "test_size", None),
        )

    def declared(self, fingerprint: str) -> Content:
        """The declared sizes, with a fingerprint."""
        return Content(
            fingerprint=fingerprint,
            shape=self.shape,
            classes=self.classes,
            train_size=self.train_size,
            test_size=self.test_size,
        )

    def located(self, root: Path) -> Path | None:
        """The folder or archive of its files, which are not read; None if it needs none, or only reading shows it.

        Raises DataError, as reading does, if they are not there.
        """
        return None

    def download(self, root: Path) -> None:
        """Fetch its files to a root. Raises OSError or RuntimeError; what has arrived is not fetched again."""
        raise NotImplementedError

    @required
    def arrays(self, root: Path) -> Arrays:
        """The whole data set in its published order, without torch. DataError names the places and how to get it.

        Images may be memory-mapped, `numpy.load(FILE, mmap_mode="r")`: those that are larger than memory stay on disk.
        """
        raise NotImplementedError
