"""Trials of ours in the form of published numbers: a row for each arm and sparsity, instead of one for each trial."""

from __future__ import annotations

from statistics import stdev

import polars as pl

from prunectl.base.errors import PrunectlError
from prunectl.base.text import plural
from prunectl.results.aggregate import pruned
from prunectl.results.pairing import groups

ARM = ("criterion", "scope", "structure", "at", "rounds", "ablation", "retrain")
COLUMNS = ("model", "dataset", *ARM, "sparsity", "top1", "n", "sd", "min", "max", "runs")
DIGITS = 6
"""Of fractions: a test set of up to 500,000 images."""


def publishable(trials: pl.DataFrame) -> pl.DataFrame:
    """The dense network first, then each arm at each sparsity, with the top-1 of each seed in the order of the seeds.

    `runs` is text, joined by ';'. Raises PrunectlError if a trial is not done, or arms have different seeds: such a
    table would state means over other networks than it seems to.
    """
    own = pruned(trials)
    if undone := own.filter(pl.col("status") != "done").height:
        raise PrunectlError(f"{plural(undone, 'trial')} not done", hint="`prunectl run` does what is missing")
    dense = own.filter(pl.col("sparsity") == 0).unique(["model", "dataset", "seed"], keep="first", maintain_order=True)
    sparse = own.filter(pl.col("sparsity") > 0)
    empty = [pl.lit(None, pl.String).alias(name) for name in ARM]
    parts = [dense.with_columns(empty), sparse]
    rows = [_row(cell) for part in parts for _, cell in groups(part, ["model", "dataset", *ARM, "sparsity"])]
    if len({row["n"] for row in rows}) > 1:
        raise PrunectlError("arms have different numbers of seeds", hint="give all of them the same seeds")
    return pl.DataFrame([{name: row[name] for name in COLUMNS} for row in rows])


def _row(cell: pl.DataFrame) -> dict[str, object]:
    runs = cell.sort("seed")["top1"].to_list()
    rounded = [round(value, DIGITS) for value in runs]
    numbers = {
        "top1": round(sum(runs) / len(runs), DIGITS),
        "n": len(runs),
        "sd": round(stdev(runs), DIGITS) if len(runs) > 1 else None,
        "min": min(rounded),
        "max": max(rounded),
        "runs": ";".join(map(str, rounded)),
    }
    return cell.row(0, named=True) | numbers
