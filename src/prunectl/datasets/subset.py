"""Fixed, class-balanced parts of a data set: the first images of each class, and images held out of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunectl.base.errors import DataError
from prunectl.base.rng import generator


def occurrence(labels: NDArray[Any]) -> NDArray[np.int64]:
    """For each label, the number of equal labels before it: (N,) → (N,)."""
    order = np.argsort(labels, kind="stable")
    sizes = np.unique(labels, return_counts=True)[1]
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    count = np.empty(len(labels), np.int64)
    count[order] = np.arange(len(labels)) - starts
    return count


def balanced(labels: NDArray[Any], limit: int) -> NDArray[np.int64]:
    """Positions of `limit` of the N labels, ascending: class sizes differ by at most one, unless a class runs out.

    Every class gives its first image, then every class its second, and so on, so the images of a smaller limit are
    among those of a larger one.
    """
    if not 1 <= limit <= len(labels):
        raise ValueError(f"limit must be from 1 to {len(labels)}, not {limit}")
    positions = np.argsort(occurrence(labels), kind="stable")[:limit]
    return np.sort(positions).astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Division:
    """What becomes of N training images: ascending positions."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def divided(labels: NDArray[Any], *, validation: int, limit: int | None, name: str) -> Division:
    """The images that are held out, and those that are trained on: all others, or `limit` of them, class-balanced.

    What is held out is class-balanced too, drawn once and for all: the same for every seed of a study, and those of a
    smaller number are among those of a larger one. Raises DataError, which names the data set, if too few images are
    left to train on, or none of a class.
    """
    held = _drawn(labels, validation) if validation < len(labels) else np.arange(len(labels))
    rest = np.setdiff1d(np.arange(len(labels)), held)
    if len(rest) < (limit or 1):
        wanted = f", and train_limit = {limit}" if limit else ""
        raise DataError(
            f"validation = {validation}{wanted}: {name} has {len(labels):,} training images",
            hint="validation images are held out of the training images: make one of the two smaller",
        )
    if gone := sorted(set(labels.tolist()) - set(labels[rest].tolist())):
        raise DataError(
            f"validation = {validation} holds out every training image of class {gone[0]} of {name}",
            hint="images are held out class by class, as many of each as there are of the smallest: take fewer",
        )
    return Division(train=rest if limit is None else rest[balanced(labels[rest], limit)], validation=held)


def _drawn(labels: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Ascending positions of `count` labels, class-balanced: the first of each class in a fixed random order."""
    if count == 0:
        return np.empty(0, np.int64)
    import torch

    order: NDArray[np.int64] = torch.randperm(len(labels), generator=generator(0, "validation")).numpy()
    return np.sort(order[balanced(labels[order], count)])
