"""A data set from the disk to tensors, verified and limited."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prunectl.base.errors import DataError
from prunectl.catalog.dataset import Arrays, Dataset
from prunectl.datasets.fingerprint import original
from prunectl.datasets.subset import balanced, divided


@dataclass(frozen=True, kw_only=True, eq=False)
class Tensors:
    """A data set in memory: images uint8 (N, C, H, W), labels int64 (N,)."""

    train_images: Tensor
    train_labels: Tensor
    validation_images: Tensor
    validation_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


Labelled = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Images and their labels."""


def load(
    dataset: Dataset,
    root: Path,
    *,
    fingerprint: str | None = None,
    train_limit: int | None = None,
    test_limit: int | None = None,
    validation: int = 0,
) -> Tensors:
    """The data set, verified against its fingerprint, or with a limit a fixed class-balanced part of that size.

    `validation` of the training images are held out, before the limit: see `subset.py`.

    `fingerprint` is that of the plan. Raises DataError if the data set is missing, damaged, not the declared or the
    planned one, or smaller than a limit.
    """
    arrays = original(dataset, root, fingerprint)
    return limited(dataset, arrays, train_limit, test_limit, validation)


def limited(
    dataset: Dataset, arrays: Arrays, train_limit: int | None, test_limit: int | None, validation: int = 0
) -> Tensors:
    """The data set as tensors, or a part of it as `load` gives it. Raises DataError if it is smaller than a limit."""
    train = whole = arrays.train_images, arrays.train_labels
    held: Labelled = whole[0][:0], whole[1][:0]
    if validation:
        division = divided(whole[1], validation=validation, limit=train_limit, name=dataset.name)
        train, held = ((whole[0][part], whole[1][part]) for part in (division.train, division.validation))
    else:
        train = _part(dataset, "train", whole, train_limit)
    test = _part(dataset, "test", (arrays.test_images, arrays.test_labels), test_limit)
    return _tensors(train, held, test)


def _tensors(train: Labelled, held: Labelled, test: Labelled) -> Tensors:
    """Arrays as tensors: the images share the arrays' memory, the labels become int64."""
    (train_images, train_labels), (validation_images, validation_labels), (test_images, test_labels) = (
        (torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))) for images, labels in (train, held, test)
    )
    return Tensors(
        train_images=train_images,
        train_labels=train_labels,
        validation_images=validation_images,
        validation_labels=validation_labels,
        test_images=test_images,
        test_labels=test_labels,
    )


def _part(dataset: Dataset, part: str, whole: Labelled, limit: int | None) -> Labelled:
    images, labels = whole
    if limit is None:
        return whole
    if limit > len(labels):
        raise DataError(
            f"{part}_limit = {limit} is more than the {len(labels):,} {part} images of {dataset.name}",
            hint=f"leave {part}_limit out to use all of them",
        )
    chosen = balanced(labels, limit)
    return images[chosen], labels[chosen]
