"""How tables write numbers."""

from __future__ import annotations

import pytest

from prunectl.report import cells


def test_accuracies_are_in_percent_with_two_digits() -> None:
    assert cells.accuracy(0.92345) == "92.34"
    assert cells.accuracy(1.0) == "100.00"
    assert cells.between(0.9, 0.95) == "90.00 to 95.00"


def test_differences_are_in_points_with_a_sign_and_a_true_minus() -> None:
    assert cells.change(0.0123) == "+1.23"
    assert cells.change(-0.0123) == "−1.23"
    assert cells.changes(-0.01, 0.02) == "−1.00 to +2.00"


@pytest.mark.parametrize("nothing", [0.0, -0.0, 0.00001, -0.00001])
def test_a_difference_that_rounds_to_nothing_has_no_sign(nothing: float) -> None:
    assert cells.change(nothing) == "0.00"
    assert cells.fixed(100, 2, sign=True)(nothing) == "0.00"


def test_missing_numbers_are_dashes() -> None:
    assert {cells.accuracy(None), cells.change(None), cells.between(None, 1.0), cells.changes(0.1, None)} == {"–"}


def test_missing_values_leave_the_cells_of_the_table_of_trials_empty() -> None:
    assert {cells.plain(None), cells.sparsity(None), cells.significant(None), cells.fixed(1, 2)(None)} == {""}


def test_sparsities_have_as_few_digits_as_they_need() -> None:
    assert [cells.sparsity(value) for value in (0.0, 0.5, 0.988, 0.9885)] == ["0", "50", "98.8", "98.85"]


def test_large_numbers_are_grouped_and_small_ones_keep_four_digits() -> None:
    assert cells.fixed(1, 0)(1234567) == "1,234,567"
    assert cells.fixed(1e-6, 2)(6.26e8) == "626.00"
    assert cells.significant(33.33333) == "33.33"
    assert cells.significant(1 / 3) == "0.3333"
    assert cells.plain(7) == "7"
