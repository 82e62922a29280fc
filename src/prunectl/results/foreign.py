"""Whether a table that was read from a file can be a table of trials: types, ranges, and one row per trial."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from prunectl.base.errors import PrunectlError
from prunectl.base.text import plural, shortened
from prunectl.results.table import ARM, METRICS, SCHEMA

TRIAL = (*ARM, "sparsity", "seed")
"""The columns that distinguish trials."""

FRACTIONS = (
    *(metric.name for metric in METRICS if metric.unit == "fraction"),
    "top1_dense",
    "top1_before_retrain",
    "sparsity",
    "sparsity_actual",
)
MAY_BE_INFINITE = ("compression", "compression_actual", "compression_error")
"""A network with nothing left has no finite compression."""

SHOWN = 3
"""Rows that a message gives."""


def whole(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with whole numbers that were written as others do (`6138.0`) as whole numbers.

    Raises ValueError for a number with a fraction in a column of whole numbers.
    """
    for name, kind in SCHEMA.items():
        if kind != pl.Int64 or name not in frame.columns or frame[name].dtype.is_integer():
            continue
        given = frame[name]
        numbers = given.cast(pl.Float64)
        if (odd := numbers.filter(numbers != numbers.round())).len() or not numbers.drop_nulls().is_finite().all():
            example = float(odd[0]) if odd.len() else float("nan")
            raise ValueError(f"{name} holds {example}, which is not a whole number")
        written_so = given.str.contains(r"^[+-]?\d+$") if given.dtype == pl.String else None
        exact = numbers.cast(pl.Int64)
        if written_so is not None:  # a float holds no more than 53 bits: keep the digits of those that are plain
            exact = given.to_frame().select(
                pl.when(written_so.fill_null(False)).then(pl.col(name)).cast(pl.Int64).fill_null(exact)
            )[name]  # fmt: skip
        frame = frame.with_columns(exact.alias(name))
    return frame


def checked(trials: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The table, each row once. Raises PrunectlError for values that no trial has, and for rows that contradict."""
    for problem in _impossible(trials):
        raise PrunectlError(f"{path}: {problem[0]}", hint=problem[1])
    trials = trials.unique(maintain_order=True)
    twice = trials.filter(pl.struct(TRIAL).is_duplicated())
    if not twice.is_empty():
        raise PrunectlError(
            f"{path} has {plural(len(twice), 'row')} that contradict each other: {_trial(twice)} has top-1 "
            + " and ".join(str(value) for value in _same(twice)["top1"].head(SHOWN)),
            hint="keep one row for each trial, or add the columns in which they differ: "
            + ", ".join(name for name in TRIAL if trials[name].null_count() == len(trials)),
        )
    return trials


def _impossible(trials: pl.DataFrame) -> Iterator[tuple[str, str | None]]:
    """Each column with values out of its range: which, where, and what to do."""
    for name, kind in SCHEMA.items():
        if kind not in (pl.Float64, pl.Int64):
            continue
        column = trials[name].cast(pl.Float64)
        numbers = column.drop_nulls().to_list()
        if (rows := _rows(column.is_nan())) or (rows := _rows(column.is_infinite() & (name not in MAY_BE_INFINITE))):
            yield f"{name} is not a number in {rows}", "leave the cell empty where nothing was measured"
        elif name in FRACTIONS and (rows := _rows(column > 1)):
            yield (
                f"{name} is {max(numbers)} in {rows}: it is a fraction, from 0 to 1",
                "divide percentages by 100",
            )
        elif name != "compression_error" and (rows := _rows(column < 0)):
            yield f"{name} is {min(numbers)} in {rows}: it is never negative", None


def _rows(wrong: pl.Series) -> str:
    """'row 2', 'rows 2, 3, 4, ...', counted as in the file (the head is row 1); empty if no row is wrong."""
    rows = [str(at + 2) for at in wrong.fill_null(False).arg_true().head(SHOWN + 1)]
    more = ", ..." if len(rows) > SHOWN else ""
    return f"row{'s' if len(rows) > 1 else ''} {', '.join(rows[:SHOWN])}{more}" if rows else ""


def _same(twice: pl.DataFrame) -> pl.DataFrame:
    """The rows of the first trial that has several."""
    first = twice.select(TRIAL).row(0)
    wanted = [pl.col(name).eq_missing(pl.lit(value)) for name, value in zip(TRIAL, first, strict=True)]
    return twice.filter(pl.all_horizontal(wanted))


def _trial(twice: pl.DataFrame) -> str:
    row = twice.row(0, named=True)
    name = shortened(str(row["arm"] or row["criterion"]), 60)
    return f"{name} at sparsity {row['sparsity']:g}, seed {row['seed']},"
