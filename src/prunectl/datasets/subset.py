"""A fixed, class-balanced part of a data set: the first images of each class, in the order of the data set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
