"""Small data sets in the formats of the real ones, written by the tests that read them."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from prunectl.catalog.dataset import Arrays
from prunectl.datasets.cifar import Cifar10, Cifar100
from prunectl.datasets.idx import PARTS
from prunectl.datasets.mnist import FashionMnist, Mnist


class SmallMnist(Mnist):
    """MNIST with 30 + 20 images."""

    train_size: ClassVar[int] = 30
    test_size: ClassVar[int] = 20
    fingerprint: ClassVar[str | None] = None


class SmallFashion(FashionMnist):
    """Fashion-MNIST with 30 + 20 images."""

    train_size: ClassVar[int] = 30
    test_size: ClassVar[int] = 20


class SmallCifar10(Cifar10):
    """CIFAR-10 with 50 + 10 images."""

    train_size: ClassVar[int] = 50
    test_size: ClassVar[int] = 10
    fingerprint: ClassVar[str | None] = None


class SmallCifar100(Cifar100):
    """CIFAR-100 with 200 + 100 images."""

    train_size: ClassVar[int] = 200
    test_size: ClassVar[int] = 100


def random_arrays(train: int, test: int, shape: tuple[int, int, int], classes: int = 10) -> Arrays:
    """Random pixels; labels 0, 1, ..., classes − 1, 0, 1, ..."""
    draws = np.random.default_rng(7)
    return Arrays(
        train_images=draws.integers(0, 256, (train, *shape), np.uint8),
        train_labels=np.arange(train, dtype=np.uint8) % np.uint8(classes),
        test_images=draws.integers(0, 256, (test, *shape), np.uint8),
        test_labels=np.arange(test, dtype=np.uint8) % np.uint8(classes),
    )


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    """An IDX file of bytes."""
    return struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def write_idx(folder: Path, arrays: Arrays, *, compress: bool = False) -> None:
    """The four files of MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    images = (arrays.train_images[:, 0], arrays.test_images[:, 0])
    contents = (images[0], arrays.train_labels, images[1], arrays.test_labels)
    for name, values in zip(PARTS, contents, strict=True):
        content = idx_bytes(values)
        path = folder / (f"{name}.gz" if compress else name)
        path.write_bytes(gzip.compress(content) if compress else content)


def binary_file(images: NDArray[np.uint8], labels: NDArray[np.uint8], *, coarse: bool = False) -> bytes:
    """Records of CIFAR's binary version, with a coarse label before the fine one if asked."""
    columns = [labels[:, None] // np.uint8(5)] * coarse + [labels[:, None], images.reshape(len(images), -1)]
    return np.concatenate(columns, axis=1).tobytes()


def python2_pickle(images: NDArray[np.uint8], labels: NDArray[np.uint8], key: str) -> bytes:
    """CIFAR's Python version as its author's Python 2 wrote it: protocol 2, strings of bytes, a numpy array."""

    def short(text: str) -> bytes:
        return b"U" + bytes([len(text)]) + text.encode()

    pixels = images.reshape(len(images), -1)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + short("b") + b"tR(K\x01("
        + b"".join(b"J" + struct.pack("<i", size) for size in pixels.shape)
        + b"tcnumpy\ndtype\n(" + short("u1") + b"K\x00K\x01tR(K\x03" + short("|") + b"NNN"
        + b"J\xff\xff\xff\xff" * 2 + b"K\x00tb\x89T" + struct.pack("<i", pixels.size) + pixels.tobytes() + b"tb"
    )  # fmt: skip
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    names = b"](" + short("a.png") + b"e"
    items = ((key, numbers), ("data", array), ("filenames", names))
    return b"\x80\x02}(" + b"".join(short(name) + value for name, value in items) + b"u."


def cifar10_files(arrays: Arrays, *, python: bool = False) -> dict[str, bytes]:
    """The six files of CIFAR-10 by their paths in the archive."""
    size = len(arrays.train_labels) // 5
    parts = [
        (f"data_batch_{part + 1}", arrays.train_images[part * size :][:size], arrays.train_labels[part * size :][:size])
        for part in range(5)
    ]
    parts.append(("test_batch", arrays.test_images, arrays.test_labels))
    if python:
        return {f"cifar-10-batches-py/{name}": python2_pickle(x, y, "labels") for name, x, y in parts}
    return {f"cifar-10-batches-bin/{name}.bin": binary_file(x, y) for name, x, y in parts}


def cifar100_files(arrays: Arrays, *, python: bool = False) -> dict[str, bytes]:
    """The two files of CIFAR-100 by their paths in the archive."""
    parts = (("train", arrays.train_images, arrays.train_labels), ("test", arrays.test_images, arrays.test_labels))
    if python:
        return {f"cifar-100-python/{name}": python2_pickle(x, y, "fine_labels") for name, x, y in parts}
    return {f"cifar-100-binary/{name}.bin": binary_file(x, y, coarse=True) for name, x, y in parts}


def write_files(root: Path, files: dict[str, bytes]) -> None:
    """Each file at its path under the root."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def write_archive(path: Path, files: dict[str, bytes]) -> None:
    """The files in a .tar.gz."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def same(left: Arrays, right: Arrays) -> bool:
    """Equal in every pixel and label."""
    return all(
        np.array_equal(getattr(left, name), getattr(right, name))
        for name in ("train_images", "train_labels", "test_images", "test_labels")
    )
