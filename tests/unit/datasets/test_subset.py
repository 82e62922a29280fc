"""Subsets are exact, balanced, ordered, and parts of each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunectl.datasets.subset import balanced, occurrence

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
