"""Data sets of image files, a folder a class: listed without torch, read as they are needed (see `streaming.py`)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, model_validator

from prunectl.base.errors import DataError, nearest
from prunectl.catalog.dataset import Content, Dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""What torchvision's ImageFolder takes for an image, in any case of letters."""
SHOWN = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The training or the test part: files, relative to `root`, with their sizes in bytes, and labels int64 (N,)."""

    root: Path
    files: tuple[str, ...]
    sizes: tuple[int, ...]
    labels: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing:
    """What lies on the disk: the classes in order of their names, and every file of both parts in order of its own."""

    classes: tuple[str, ...]
    train: Part
    test: Part

    def digest(self) -> str:
        """SHA-256 over every file's part, class, path and size, in order. Not over the pixels: see `Pictures`.

        Names are digested as the bytes that they are on the disk: not every one is UTF-8.
        """
        digest = hashlib.sha256()
        for name, part in (("train", self.train), ("test", self.test)):
            for file, size, label in zip(part.files, part.sizes, part.labels.tolist(), strict=True):
                digest.update(os.fsencode(f"{name}\0{self.classes[label]}\0{file}\0{size}\n"))
        return digest.hexdigest()


class Pictures(Dataset):
    """A data set of image files, each resized so that its shorter side is `shorter`, then cut out at the centre.

    Its fingerprint is that of the names, sizes in bytes and classes of all its files: reading hundreds of gigabytes
    to plan a study is out of the question. A file exchanged for another one of exactly its size goes unnoticed.
    """

    mean: ClassVar[tuple[float, ...]] = (0.485, 0.456, 0.406)
    std: ClassVar[tuple[float, ...]] = (0.229, 0.224, 0.225)
    fingerprint: ClassVar[str | None] = None
    in_files: ClassVar[bool] = True
    imports: ClassVar[tuple[str, ...]] = ("torchvision.transforms.functional",)
    size: int
    """Height and width of the images that the network sees."""

    @property
    def shape(self) -> tuple[int, int, int]:  # type: ignore[override]  # of these data sets, a parameter decides
        """Colour images of `size`×`size`."""
        return (3, self.size, self.size)

    @property
    def shorter(self) -> int:
        """What the shorter side of a picture is resized to before the centre is cut out of it."""
        return self.size

    def listing(self, root: Path) -> Listing:
        """Every file of both parts. Raises DataError: where it looked, what is wrong, how to get it."""
        raise NotImplementedError

    def content(self, root: Path) -> Content:
        """What there is on the disk; nothing is taken from a declaration but the shape."""
        found = self.listing(root)
        return Content(
            fingerprint=found.digest(),
            shape=self.shape,
            classes=len(found.classes),
            train_size=len(found.train.files),
            test_size=len(found.test.files),
        )


class ImageFolder(Pictures):
    """Any pictures: DIR/train/CLASS/... and DIR/TEST/CLASS/..., with the same classes in both."""

    name: ClassVar[str] = "image-folder"
    summary: ClassVar[str] = "your own pictures: DIR/train/CLASS/FILE and DIR/val/CLASS/FILE, resized to `size`"
    needs_root = True

    size: Annotated[int, Field(ge=4, description="height and width of the images that the network sees")] = 64
    resize: Annotated[
        int | None, Field(ge=4, description="the shorter side before the centre is cut out; `size` unless given")
    ] = None
    test: Annotated[str, Field(min_length=1, description="the folder of the test images")] = "val"

    @model_validator(mode="after")
    def _large_enough(self) -> Self:
        if self.shorter < self.size:
            raise ValueError(f"resize = {self.resize} leaves nothing to cut {self.size}x{self.size} pixels out of")
        return self

    @property
    def shorter(self) -> int:
        """`resize`, or `size`."""
        return self.resize or self.size

    def listing(self, root: Path) -> Listing:
        """Both folders, class by class."""
        with reading(root):
            for name in ("train", self.test):
                if not (root / name).is_dir():
                    raise _no_folder(root, name, self.test)
            return of_folders(root, "train", self.test)


@contextmanager
def reading(root: Path) -> Iterator[None]:
    """What the system refuses below `root` (a link to nothing, a closed folder) becomes a DataError with its path."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{error.filename or root} cannot be read: {error.strerror or error}",
            hint="mend it or remove it: a link must lead to a file, and folders must be open to you",
        ) from error


def of_folders(root: Path, train: str, test: str) -> Listing:
    """A listing of two folders that hold a folder a class each. Raises DataError if their classes differ."""
    classes, tests = class_folders(root / train), class_folders(root / test)
    for one, other, name in ((classes, tests, test), (tests, classes, train)):
        if lacking := sorted(set(one) - set(other)):
            raise DataError(
                f"{root / name} has no folder for {_some(lacking)}", hint="both parts must have the same classes"
            )
    if len(classes) < 2:
        raise DataError(f"{root / train} has {len(classes)} class folders; a data set has two classes or more")
    return Listing(classes=classes, train=part(root, train, classes), test=part(root, test, classes))


def part(root: Path, folder: str, classes: tuple[str, ...]) -> Part:
    """Every image under FOLDER/CLASS/, however deep, in order of class and path. DataError for a class without any."""
    import numpy as np

    found: list[tuple[str, int, int]] = []
    for label, name in enumerate(classes):
        images = sorted(_images(root / folder / name))
        if not images:
            raise DataError(f"{root / folder / name} has no images", hint=f"images end in {', '.join(ENDINGS)}")
        found += [(os.path.relpath(path, root), size, label) for path, size in images]
    files, sizes, labels = zip(*found, strict=True)
    return Part(root=root, files=files, sizes=sizes, labels=np.array(labels, np.int64))


def _images(folder: Path) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _images(Path(entry.path))
            elif entry.name.lower().endswith(ENDINGS):
                yield entry.path, entry.stat().st_size


def class_folders(folder: Path) -> tuple[str, ...]:
    """The names of the folders in a folder, in order; hidden ones are no classes."""
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")))


def _no_folder(root: Path, name: str, test: str) -> DataError:
    if not root.is_dir():
        return DataError(
            f"{root} is not there", hint="say where the pictures are: --data DIR, PRUNECTL_DATA, or root in [data]"
        )
    there = class_folders(root)
    close = nearest(name, there)
    hint = (
        f"pictures lie in {root}/train/CLASS/ and {root}/{test}/CLASS/; another directory: --data DIR or root in [data]"
    )
    if name == test and there:
        hint = f"did you mean test = {close!r}? {hint}" if close else f"{hint}; another folder: test in [data]"
    return DataError(f"{root} has no folder {name}; it has {_some(there) or 'none'}", hint=hint)


def _some(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
