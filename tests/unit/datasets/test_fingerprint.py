"""The fingerprint's definition, pinned; it sees pixels, labels, order and shape, and not memory layout."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prunectl.base.errors import DataError
from prunectl.catalog.dataset import Arrays
from prunectl.datasets.digits import Digits
from prunectl.datasets.fingerprint import digest_of, verified

ARRAYS = Arrays(
    train_images=np.arange(16, dtype=np.uint8).reshape(2, 2, 2, 2),
    train_labels=np.array([1, 0], np.uint8),
    test_images=np.array([7, 8, 9, 10, 11, 12, 13, 14], np.uint8).reshape(1, 2, 2, 2),
    test_labels=np.array([1], np.uint8),
)


def test_it_is_the_digest_of_shapes_pixels_and_labels() -> None:
    content = b"2,2,2,2\n" + bytes(range(16)) + bytes([1, 0]) + b"1,2,2,2\n" + bytes(range(7, 15)) + bytes([1])
    assert digest_of(ARRAYS) == hashlib.sha256(content).hexdigest()
    assert digest_of(ARRAYS) == "fce1831d8fc97f6431aa880c0a56da56c02f2d29d5a89721f328010d70dd1c84"


def test_it_changes_with_pixels_labels_order_and_shape() -> None:
    images = ARRAYS.train_images
    changed = images.copy()
    changed[1, 1, 1, 1] = 0
    others = [
        replace(ARRAYS, train_images=changed),
        replace(ARRAYS, train_labels=np.array([1, 1], np.uint8)),
        replace(ARRAYS, train_images=images[::-1]),
        replace(ARRAYS, train_images=images.reshape(2, 1, 4, 2)),
    ]
    assert len({digest_of(arrays) for arrays in [ARRAYS, *others]}) == 5


def test_it_does_not_depend_on_how_the_arrays_lie_in_memory() -> None:
    strided = np.asfortranarray(ARRAYS.train_images)
    assert not strided.flags.c_contiguous
    assert digest_of(replace(ARRAYS, train_images=strided)) == digest_of(ARRAYS)


def test_a_data_set_that_gives_something_else_is_refused_with_what_to_return(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Digits, "arrays", lambda self, root: (1, 2))
    with pytest.raises(DataError, match="arrays of digits returns tuple, not Arrays") as refused:
        verified(Digits(), Path())
    assert "prunectl.Arrays(train_images=" in str(refused.value.hint)
