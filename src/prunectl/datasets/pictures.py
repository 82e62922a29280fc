"""Data sets of image files, one folder per class: listed without torch, read when needed (see `streaming.py`)."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from prunectl.base.errors import DataError
from prunectl.base.text import did_you_mean
from prunectl.catalog.dataset import Content, Dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""The endings that torchvision's ImageFolder accepts, in upper or lower case."""
SHOWN = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The training or the test part: files relative to `root`, their sizes in bytes, and labels int64 (N,)."""

    root: Path
    files: tuple[str, ...]
    sizes: tuple[int, ...]
    labels: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing:
    """The files on the disk: the classes sorted by name, and the files of both parts sorted by class and path."""

    classes: tuple[str, ...]
    train: Part
    test: Part

    def digest(self) -> str:
        """SHA-256 over the part, class, path and size of every file, in order. Not over the pixels: see `Pictures`.

        Names enter as the bytes on the disk, because not every name is UTF-8.
        """
        digest = hashlib.sha256()
        for name, part in (("train", self.train), ("test", self.test)):
            for file, size, label in zip(part.files, part.sizes, part.labels.tolist(), strict=True):
                digest.update(os.fsencode(f"{name}\0{self.classes[label]}\0{file}\0{size}\n"))
        return digest.hexdigest()


class Pictures(Dataset):
    """A data set of image files. Each is resized so that its shorter side is `shorter`, and its centre is used.

    The fingerprint covers the names, sizes in bytes and classes of all files, because reading hundreds of gigabytes
    to plan a study would take too long. A file replaced by another of exactly the same size is not noticed.
    """

    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)
    fingerprint = None
    in_files = True
    imports = ("torchvision.transforms.functional",)
    size: int
    """Height and width of the images that the network sees."""

    @property
    def shape(self) -> tuple[int, int, int]:  # type: ignore[override]  # a parameter decides it
        """Colour images of `size`×`size`."""
        return (3, self.size, self.size)

    @property
    def shorter(self) -> int:
        """The length in pixels to which the shorter side is resized before the centre is cut out."""
        return self.size

    def listing(self, root: Path) -> Listing:
        """Every file of both parts. Raises DataError with the place, what is wrong and how to get the data set."""
        raise NotImplementedError

    def content(self, root: Path) -> Content:
        """The content as found on the disk; only the shape is as declared."""
        listing = self.listing(root)
        return Content(
            fingerprint=listing.digest(),
            shape=self.shape,
            classes=len(listing.classes),
            train_size=len(listing.train.files),
            test_size=len(listing.test.files),
        )


class ImageFolder(Pictures):
    """Any pictures: DIR/train/CLASS/... and DIR/TEST/CLASS/..., with the same classes in both."""

    name = "image-folder"
    summary = "your own pictures: DIR/train/CLASS/FILE and DIR/val/CLASS/FILE, resized to `size`"
    needs_root = True

    size: Annotated[int, Field(ge=4, description="height and width of the images that the network sees")] = 64
    resize: Annotated[
        int | None, Field(ge=4, description="the shorter side before the centre is cut out; `size` unless given")
    ] = None
    test: Annotated[str, Field(min_length=1, description="the folder of the test images")] = "val"

    @model_validator(mode="after")
    def _large_enough(self) -> Self:
        if self.shorter < self.size:
            raise ValueError(f"resize = {self.resize} is too small to cut {self.size}x{self.size} pixels")
        return self

    @property
    def shorter(self) -> int:
        """`resize`, or `size`."""
        return self.resize or self.size

    def listing(self, root: Path) -> Listing:
        """The files of both folders, class by class."""
        with reading(root):
            for name in ("train", self.test):
                if not (root / name).is_dir():
                    raise _no_folder(root, name, self.test)
            return of_folders(root, "train", self.test)


@contextmanager
def reading(root: Path) -> Iterator[None]:
    """Turn errors of the system below `root` (a dangling link, a closed folder) into a DataError with the path."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{error.filename or root} cannot be read: {error.strerror or error}",
            hint="fix or remove it: links must lead to a file, and you need permission to read the folders",
        ) from error


def of_folders(root: Path, train: str, test: str) -> Listing:
    """The listing of two folders with one folder per class. Raises DataError if their classes differ."""
    classes, tests = class_folders(root / train), class_folders(root / test)
    for expected, actual, name in ((classes, tests, test), (tests, classes, train)):
        if absent := sorted(set(expected) - set(actual)):
            raise DataError(
                f"{root / name} has no folder for {_some(absent)}", hint="both parts must have the same classes"
            )
    if len(classes) < 2:
        raise DataError(f"{root / train} has {len(classes)} class folders; a data set needs at least two")
    return Listing(classes=classes, train=part(root, train, classes), test=part(root, test, classes))


def part(root: Path, folder: str, classes: tuple[str, ...]) -> Part:
    """Every image under FOLDER/CLASS/, at any depth, sorted by class and path. DataError for a class without images."""
    import numpy as np

    pictures: list[tuple[str, int, int]] = []
    for label, name in enumerate(classes):
        images = sorted(_images(root / folder / name))
        if not images:
            raise DataError(f"{root / folder / name} has no images", hint=f"images end in {', '.join(ENDINGS)}")
        pictures += [(os.path.relpath(path, root), size, label) for path, size in images]
    files, sizes, labels = zip(*pictures, strict=True)
    return Part(root=root, files=files, sizes=sizes, labels=np.array(labels, np.int64))


def _images(folder: Path) -> Iterator[tuple[str, int]]:
    """Every image in a folder, at any depth, with its size. DataError for one that is not a file: a pipe, a device."""
    folders = [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    folders.append(entry.path)
                elif entry.name.lower().endswith(ENDINGS):
                    status = entry.stat()
                    if not stat.S_ISREG(status.st_mode):
                        raise DataError(f"{entry.path} is not a file", hint="remove it: only files hold pictures")
                    yield entry.path, status.st_size


def class_folders(folder: Path) -> tuple[str, ...]:
    """The names of the folders in a folder, sorted, without hidden ones."""
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")))


def _no_folder(root: Path, name: str, test: str) -> DataError:
    if not root.is_dir():
        return DataError(
            f"{root} does not exist", hint="give the directory: --data DIR, PRUNECTL_DATA, or root in [data]"
        )
    folders = class_folders(root)
    hint = (
        f"pictures belong in {root}/train/CLASS/ and {root}/{test}/CLASS/; "
        "choose another directory with --data DIR or root in [data]"
    )
    if name == test and folders:
        meant = did_you_mean(name, folders, "test = '{}'")
        hint = f"{meant} {hint}" if meant else f"{hint}, another folder with test in [data]"
    return DataError(f"{root} has no folder {name}; it has {_some(folders) or 'none'}", hint=hint)


def _some(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
