"""Published tables as frames. polars is imported when a table is read, not before."""

from __future__ import annotations

import io
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.results.published.index import describe, short
from prunectl.results.published.theirs import FILE, read
from prunectl.study.arms import CHOICES
from prunectl.study.reading import choices, means

if TYPE_CHECKING:
    import polars as pl

TEXTS = ("table", *CHOICES, "note")
"""Cells as in the results table; `table` is the published table's name. A dense network has no criterion."""

FRACTIONS = ("sparsity", "top1", "top5", "median", "sd", "min", "max", "validation")
"""In [0, 1]. median, sd (with n − 1), min and max are of the n runs' top-1; `validation` is on held-out images."""

COUNTS = ("n", "n_params", "n_prunable")
TIMES = ("retrain_epochs", "train_s")


def schema() -> dict[str, Any]:
    """The columns of every published table and their types."""
    import polars as pl

    return {
        **dict.fromkeys(TEXTS[:-1], pl.String),
        **dict.fromkeys(FRACTIONS, pl.Float64),
        "sparsity_of": pl.String,  # what sparsities are fractions of, as in the results table
        "runs": pl.List(pl.Float64),  # top-1 of each run, where the authors gave them
        **dict.fromkeys(COUNTS, pl.Int64),
        **dict.fromkeys(TIMES, pl.Float64),
        "note": pl.String,
    }


def load(name: str, folder: Path | None = None) -> pl.DataFrame:
    """A published table, with exactly the columns of `schema`; what it does not give is null.

    The path of a file begins in `folder`. Raises PrunectlError for a name that is not there.
    """
    import polars as pl

    if name.startswith(FILE):
        return _frame(name, folder)
    of = describe(name).of
    content = resources.files("prunectl.results.published").joinpath("data", f"{name}.csv").read_bytes()
    text = pl.read_csv(io.BytesIO(content), infer_schema=False).with_columns(table=pl.lit(name), sparsity_of=pl.lit(of))
    if "runs" in text.columns:
        text = text.with_columns(pl.col("runs").str.split(";"))
    return text.select(
        pl.col(column).cast(kind) if column in text.columns else pl.lit(None, kind).alias(column)
        for column, kind in schema().items()
    )


def _frame(name: str, folder: Path | None) -> pl.DataFrame:
    """The table in a file."""
    import polars as pl

    rows = [
        row | {"table": short(name), "sparsity_of": row.get("sparsity_of") or "prunable"} for row in read(name, folder)
    ]
    return pl.DataFrame([{column: row.get(column) for column in schema()} for row in rows], schema=schema())


def rows_about(trials: pl.DataFrame, names: Iterable[str], folder: Path | None = None) -> pl.DataFrame:
    """The rows of the named tables that are about a network and a data set of the trials, for charts and lists.

    Sparsities of the prunable weights and sparsities of all parameters are two axes: rows on the other one are left
    out, dense networks apart.
    """
    import polars as pl

    frames = [pl.DataFrame(schema=schema())]
    ours = [choices(row) for row in trials.select("model", "dataset").unique(maintain_order=True).iter_rows(named=True)]
    counted = set(trials["sparsity_of"].fill_null("prunable")) if "sparsity_of" in trials.columns else {"prunable"}
    on_our_axis = (pl.col("sparsity").fill_null(0) == 0) | pl.col("sparsity_of").is_in(counted)
    for name in names:
        frame = load(name, folder).filter(on_our_axis)
        about = frame.select("model", "dataset").iter_rows(named=True)
        keep = [any(means(wanted, choice) for choice in ours) for wanted in about]
        frames.append(frame.filter(pl.Series(keep, dtype=pl.Boolean)))
    return pl.concat(frames)
