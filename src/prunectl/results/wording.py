"""Cells of the table as people write them, by the column that they are in."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import polars as pl

from prunectl.base.cells import parsed, words

NOT_RETRAINED = "no retraining"


def wording(column: str, cell: str) -> str:
    """A cell for people, clear without the head of its column: `epoch 4`, 'budget 0.25', 'no retraining'."""
    if column == "retrain" and cell == "none":
        return NOT_RETRAINED
    return _budget(cell) if column == "budget" else words(cell)


def _budget(cell: str) -> str:
    """A share of the recipe is a bare number, so it is named; a length names itself: '3 epochs'."""
    with contextlib.suppress(ValueError):  # of another program's table
        value = parsed(cell)
        if isinstance(value, Mapping):
            return ", ".join(f"{count} {unit}" for unit, count in value.items())
    return f"budget {words(cell)}"


def in_words(frame: pl.DataFrame, column: str) -> pl.Series:
    """A column with each cell in words."""
    cells = frame[column].drop_nulls().unique().to_list()
    spoken = [wording(column, cell) for cell in cells]
    return frame[column].replace_strict(cells, spoken, default=None, return_dtype=pl.String)
