"""The two forms in which CIFAR is distributed, unpacked or inside their archives.

Binary: records of the label bytes (the last one is used), then 3,072 pixels, channel by channel.
Python: a pickled dictionary with `data` (N, 3072) and a list of labels.
https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

import math
import tarfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prunectl.base.errors import DataError
from prunectl.catalog.dataset import Arrays, Dataset
from prunectl.datasets.locate import LARGEST_BYTES, check_size, damaged, find, missing, read_bytes
from prunectl.datasets.pickled import unpickle

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form of a data set: its folder, its archive, its files (the last is the test part)."""

    folder: str
    archive: str
    names: tuple[str, ...]
    label_bytes: int = 0
    """Label bytes in each record of the binary form; 0 for the Python form."""
    label_key: str = ""
    """The key of the labels in the Python form."""

    def folders(self, dataset: str) -> tuple[str, ...]:
        """Where the folder may be under a root."""
        return (self.folder, f"{dataset}/{self.folder}", f"{dataset.upper()}/{self.folder}", dataset, ".")

    def archives(self, dataset: str) -> tuple[str, ...]:
        """Where the archive may be under a root."""
        return (self.archive, f"{dataset}/{self.archive}", f"{dataset.upper()}/{self.archive}")


@dataclass(frozen=True, kw_only=True)
class First:
    """The first form that is complete: its files, or else its archive."""

    form: Form
    where: Path
    """The folder of the files, or the archive."""
    files: tuple[Path, ...] = ()


def first_of(name: str, root: Path, forms: Sequence[Form]) -> First:
    """The first form that is complete: folders before archives, which take longer to read. Raises DataError."""
    incomplete: DataError | None = None
    for form in forms:
        try:
            paths = find(root, form.folders(name), form.names)
        except DataError as error:
            incomplete = incomplete or error
            continue
        if paths:
            return First(form=form, where=paths[0].parent, files=tuple(paths))
    for form in forms:
        for place in form.archives(name):
            if (root / place).is_file():
                return First(form=form, where=root / place)
    if incomplete:
        raise incomplete
    folders = [place for form in forms for place in form.folders(name)]
    archives = [place for form in forms for place in form.archives(name)]
    names = [f"{form.names[0]} to {form.names[-1]}" for form in forms]
    raise missing(name, root, [*folders, *archives], " or ".join(names))


def read_first(dataset: Dataset, root: Path, forms: Sequence[Form]) -> Arrays:
    """The data set in the first form that is complete. Raises DataError."""
    first = first_of(dataset.name, root, forms)
    if first.files:
        return _read(dataset, first.form, ((str(path), read_bytes(path)) for path in first.files))
    return _read(dataset, first.form, _members(first.where, first.form))


def _members(archive: Path, form: Form) -> list[tuple[str, Bytes]]:
    wanted = [f"{form.folder}/{name}" for name in form.names]
    contents: dict[str, Bytes] = {}
    try:
        with tarfile.open(archive, "r|gz") as stream:  # one pass: seeking back would decompress again
            for member in stream:
                content = stream.extractfile(member) if member.name in wanted else None
                if content is not None:
                    if member.size > LARGEST_BYTES:
                        raise damaged(archive, f"unpacks to more than {LARGEST_BYTES:,} bytes")
                    contents[member.name] = np.frombuffer(content.read(), np.uint8)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise damaged(archive, f"cannot be unpacked: {error} ({archive.stat().st_size:,} bytes)") from error
    absent = [name for name in wanted if name not in contents]
    if absent:
        raise damaged(archive, f"has no {', '.join(absent)}")
    return [(f"{archive}/{name}", contents[name]) for name in wanted]


def _read(dataset: Dataset, form: Form, files: Iterable[tuple[str, Bytes]]) -> Arrays:
    images = np.empty((dataset.train_size, math.prod(dataset.shape)), np.uint8)
    labels = np.empty(dataset.train_size, np.uint8)
    parts = iter(files)  # so that only one is in memory at a time
    size = dataset.train_size // (len(form.names) - 1)
    for index, (where, content) in enumerate(islice(parts, len(form.names) - 1)):
        part = slice(index * size, (index + 1) * size)
        images[part], labels[part] = _part(form, where, content, (size, images.shape[1]))
    test_images, test_labels = _part(form, *next(parts), (dataset.test_size, images.shape[1]))
    return Arrays(
        train_images=images.reshape(-1, *dataset.shape),
        train_labels=labels,
        test_images=np.array(test_images).reshape(-1, *dataset.shape),
        test_labels=np.array(test_labels),
    )


def _part(form: Form, where: str, content: Bytes, shape: tuple[int, int]) -> tuple[Bytes, Bytes]:
    """Pixels of `shape` (images, bytes per image) and labels of one file."""
    return (_binary if form.label_bytes else _python)(form, where, content, shape)


def _binary(form: Form, where: str, content: Bytes, shape: tuple[int, int]) -> tuple[Bytes, Bytes]:
    record = form.label_bytes + shape[1]
    check_size(where, len(content), shape[0] * record)
    records = content.reshape(shape[0], record)
    return records[:, form.label_bytes :], records[:, form.label_bytes - 1]


def _python(form: Form, where: str, content: Bytes, shape: tuple[int, int]) -> tuple[Bytes, Bytes]:
    try:
        table = unpickle(content.tobytes())
    except ValueError as error:
        raise damaged(where, f"is not a CIFAR file: {error} ({len(content):,} bytes)") from error
    pixels, labels = table.get("data"), table.get(form.label_key)
    if not isinstance(pixels, np.ndarray) or pixels.shape != shape:
        raise damaged(where, f"has no data of {shape[0]:,} images of {shape[1]:,} bytes")
    if not _are_labels(labels, shape[0]):
        raise damaged(where, f"has no {form.label_key} of {shape[0]:,} images")
    return pixels, np.array(labels, np.uint8)


def _are_labels(labels: object, size: int) -> bool:
    if not isinstance(labels, list) or len(labels) != size:
        return False
    return all(isinstance(label, int) and 0 <= label < 256 for label in labels)
