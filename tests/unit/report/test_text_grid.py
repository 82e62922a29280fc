"""How the table of a terminal is laid out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prunectl.report import text_grid
from prunectl.report.grid import arms_by_sparsity
from prunectl.report.text_grid import Layout
from unit.report import small

GRID = arms_by_sparsity(small.swept())  # two arms of 19 characters at most, two sparsities, a matching sparsity each
WHOLE = ((0, 1),)


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, Layout(spread=True, matching=True, stacked=False, blocks=((0, 1, 2),))),
        (60, Layout(spread=True, matching=False, stacked=False, blocks=WHOLE)),
        (44, Layout(spread=True, matching=True, stacked=True, blocks=WHOLE)),
        (26, Layout(spread=False, matching=True, stacked=True, blocks=WHOLE)),
    ],
)
def test_columns_give_way_before_intervals_and_intervals_before_whole_names(width: int, shown: Layout) -> None:
    assert text_grid.layout(GRID, width) == shown
    assert all(len(line) <= max(width, 30) for line in text_grid.lines(GRID, shown, width))


def test_what_fits_in_no_way_is_in_blocks() -> None:
    many = arms_by_sparsity(small.swept(sparsities=[level / 100 for level in range(50, 80)]))
    assert text_grid.layout(many, 60).stacked is False and len(text_grid.layout(many, 60).blocks) > 3
    narrow = text_grid.layout(many, 30)
    assert narrow.stacked and sum(narrow.blocks, ()) == tuple(range(30))
    heads = [line for line in text_grid.lines(many, narrow, 30) if line.strip().startswith("5") and "%" in line]
    assert heads, "each block has its own heads"


def test_a_study_without_a_matching_sparsity_has_no_such_column() -> None:
    unknown = replace(GRID, rows=tuple(replace(row, matching="") for row in GRID.rows))
    assert text_grid.layout(unknown, 100).matching is False
