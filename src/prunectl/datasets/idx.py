"""The IDX format of MNIST: two zero bytes, type 0x08 (uint8), rank, big-endian sizes, then the values.

http://yann.lecun.com/exdb/mnist/ ("the IDX file format").
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prunectl.catalog.dataset import Arrays
from prunectl.datasets.locate import check_size, damaged, find, read_bytes

PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def read_idx(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The uint8 values of an IDX file, raw or .gz, of exactly this shape. Raises DataError for any other."""
    content = read_bytes(path)
    header = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    check_size(path, len(content), len(header) + math.prod(shape))
    if content[: len(header)].tobytes() != header:
        raise damaged(path, f"is not an IDX file of {' x '.join(map(str, shape))} bytes")
    return content[len(header) :].reshape(shape)


def parts_of(root: Path, folders: tuple[str, ...]) -> list[Path]:
    """The four files of MNIST or a data set in its format; none if no file of it is under the root."""
    return find(root, folders, PARTS, ("", ".gz"))


def read_parts(root: Path, folders: tuple[str, ...], sizes: tuple[int, int], pixels: tuple[int, int]) -> Arrays | None:
    """The images and labels in these files, or None if no file of them is under the root."""
    paths = parts_of(root, folders)
    if not paths:
        return None
    train, test = sizes
    height, width = pixels
    return Arrays(
        train_images=read_idx(paths[0], (train, height, width)).reshape(train, 1, height, width),
        train_labels=read_idx(paths[1], (train,)),
        test_images=read_idx(paths[2], (test, height, width)).reshape(test, 1, height, width),
        test_labels=read_idx(paths[3], (test,)),
    )
