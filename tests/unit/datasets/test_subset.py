"""Subsets are exact, balanced, ordered, and parts of each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunectl.base.errors import DataError
from prunectl.datasets.subset import balanced, divided, occurrence

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=60)


def test_occurrence_counts_equal_labels_before() -> None:
    assert occurrence(np.array([3, 1, 3, 3, 1, 0])).tolist() == [0, 0, 1, 2, 1, 0]


def test_the_first_of_each_class_are_taken_in_their_own_order() -> None:
    assert balanced(np.array([1, 1, 1, 0, 2, 0, 2, 1]), 6).tolist() == [0, 1, 3, 4, 5, 6]


@given(LABELS, st.data())
def test_a_subset_is_exact_ordered_and_as_balanced_as_the_classes_allow(labels: list[int], data: st.DataObject) -> None:
    limit = data.draw(st.integers(1, len(labels)))
    array = np.array(labels)
    chosen = balanced(array, limit)
    assert len(chosen) == limit
    assert np.all(np.diff(chosen) > 0)
    taken, there = np.bincount(array[chosen], minlength=5), np.bincount(array, minlength=5)
    assert np.all((taken >= taken.max() - 1) | (taken == there))


@given(LABELS)
def test_a_smaller_subset_is_part_of_a_larger(labels: list[int]) -> None:
    array = np.array(labels)
    for limit in range(1, len(labels)):
        assert set(balanced(array, limit)) < set(balanced(array, limit + 1))


@pytest.mark.parametrize("limit", [0, -1, 4])
def test_a_limit_out_of_range_is_an_error(limit: int) -> None:
    with pytest.raises(ValueError, match="limit must be from 1 to 3"):
        balanced(np.array([0, 1, 2]), limit)


@pytest.mark.parametrize("limit", [None, 30])
def test_held_out_images_are_fixed_balanced_and_trained_on_by_nobody(limit: int | None) -> None:
    labels = np.arange(103) % 4
    small, large = (divided(labels, validation=count, limit=limit, name="digits") for count in (10, 22))
    assert np.bincount(labels[small.validation]).tolist() in ([3, 3, 2, 2], [2, 3, 3, 2], [2, 2, 3, 3], [3, 2, 2, 3])
    assert set(small.validation) < set(large.validation)
    assert len(large.train) == (103 - 22 if limit is None else limit)
    assert not set(large.train) & set(large.validation)
    assert np.array_equal(large.validation, divided(labels, validation=22, limit=limit, name="digits").validation)
    assert not np.array_equal(large.validation, np.sort(large.validation)[:1] + np.arange(22)), "a draw, not a run"


@pytest.mark.parametrize(
    ("validation", "limit", "message"),
    [
        (12, None, "validation = 12: digits has 12 training images"),
        (99, None, "validation = 99: digits has 12 training images"),
        (6, 7, "validation = 6, and train_limit = 7: digits has 12 training images"),
        (4, None, "validation = 4 holds out every training image of class 1 of digits"),
    ],
)
def test_what_would_leave_nothing_to_train_on_is_an_error(validation: int, limit: int | None, message: str) -> None:
    labels = np.array([0] * 10 + [1] * 2)
    with pytest.raises(DataError, match=message):
        divided(labels, validation=validation, limit=limit, name="digits")
