"""What charts and tables ask about the arms of a study.

Whatever is read from the cells of an arm is read here, and nowhere else in this package.
"""

from __future__ import annotations

import polars as pl

from prunectl.results import budget, selecting
from prunectl.results.table import ARM, Results

COLUMNS = tuple(name for name in ARM if name != "arm")
"""The columns that describe an arm, and the study that it belongs to. `arm` is the label that is made of them."""

MATCHED = tuple(name for name in COLUMNS if name not in ("study", "model", "dataset", "ablation", "retrain"))
"""Columns in which a published number must match some arm of the study, as far as the published table has them."""


def unmodified() -> pl.Expr:
    """Whether a trial has no ablation."""
    return pl.col("ablation") == "none"


def series() -> pl.Expr:
    """The name of a line: `hue` and `variant` in one text. Pruning at init is the default and is omitted."""
    default = pl.col("variant").is_in(["", "at init"])
    return pl.when(default).then("hue").otherwise(pl.concat_str("hue", "variant", separator=", "))


def moment(at: str, per_epoch: float | None = None) -> tuple[int, float]:
    """Where a moment of pruning comes in the order of a training: init, then epochs and steps, then end.

    `per_epoch` is the number of steps in an epoch; without it, steps and epochs cannot be put in one order.
    """
    unit, _, number = at.partition("(")[0].partition("=")
    if unit in ("epoch", "step") and number:
        return 1, float(number) * (per_epoch or 1.0 if unit == "epoch" else 1.0)
    return (0, 0.0) if at == "init" else (2, 0.0)


def steps_per_epoch(results: Results) -> float | None:
    """The number of training steps in an epoch; None before anything is trained."""
    return budget.steps_per_epoch(results)


def retrained_between_rounds(trials: pl.DataFrame) -> bool:
    """Whether some arm is pruned in rounds with retraining after each."""
    return bool(trials["rounds"].drop_nulls().str.starts_with("iterative").any())


def retrainings(results: Results) -> dict[str, tuple[str, float]]:
    """For each retraining of known length: its name without the length, and the share of the recipe that it takes."""
    return budget.budgets(results)


def selects(column: str, wanted: str, cell: str) -> bool:
    """Whether a value in a published table includes an arm's: `snip` includes every choice of its parameters."""
    return selecting.means(column, wanted, cell)
