"""Cells of the table as people write them, by the column that they are in."""

from __future__ import annotations

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import percent
from prunectl.catalog.values import Length
from prunectl.study.arms import budget_label
from prunectl.study.reading import choices

NOT_RETRAINED = "no retraining"
NO_BUDGET = "no budget"


def wording(column: str, cell: str) -> str:
    """A cell for people, clear without the head of its column: `epoch 4`, 'budget 25 %', 'no retraining'."""
    if column == "retrain" and cell == "none":
        return NOT_RETRAINED
    return _length(cell) if column == "budget" else words(cell)


def _length(cell: str) -> str:
    """As labels of arms have it, a share of the recipe in percent, unless it is no budget that this prunectl knows."""
    budget = choices({"budget": cell})["budget"]
    if isinstance(budget, float):
        return f"budget {percent(budget)}"
    return budget_label(budget) if isinstance(budget, Length) else f"budget {words(cell)}"


def in_words(frame: pl.DataFrame, column: str) -> pl.Series:
    """A column with each cell in words."""
    cells = frame[column].drop_nulls().unique().to_list()
    spoken = [wording(column, cell) for cell in cells]
    return frame[column].replace_strict(cells, spoken, default=None, return_dtype=pl.String)
