"""A fixed, class-balanced part of a data set: the first images of each class, in their own order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def occurrence(labels: NDArray[Any]) -> NDArray[np.int64]:
    """For each label, how many equal ones come before it: (N,) → (N,)."""
    order = np.argsort(labels, kind="stable")
    sizes = np.unique(labels, return_counts=True)[1]
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    count = np.empty(len(labels), np.int64)
    count[order] = np.arange(len(labels)) - starts
    return count


def balanced(labels: NDArray[Any], limit: int) -> NDArray[np.int64]:
    """Positions of `limit` of the N labels, ascending: class sizes differ by one at most unless a class runs out.

    Every class gives its first, then every class its second, and so on: a smaller limit gives a part of a larger.
    """
    if not 1 <= limit <= len(labels):
        raise ValueError(f"limit must be from 1 to {len(labels)}, not {limit}")
    taken = np.argsort(occurrence(labels), kind="stable")[:limit]
    return np.sort(taken).astype(np.int64)
