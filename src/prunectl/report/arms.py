"""What charts and tables ask about the arms of a study.

Whatever is read from the cells of an arm is read here, and nowhere else in this package.
"""

from __future__ import annotations

import polars as pl

from prunectl.base.cells import cell
from prunectl.catalog.retraining import Retraining
from prunectl.results.aggregate import UNNAMED
from prunectl.results.table import ARM, Results
from prunectl.study.arms import moment_label
from prunectl.study.reading import choices, means

COLUMNS = tuple(name for name in ARM if name != "arm")
"""The columns that describe an arm, and the study that it belongs to. `arm` is the label that is made of them."""

MATCHED = tuple(
    name for name in COLUMNS if name not in ("study", "model", "dataset", "init", "ablation", "retrain", "budget")
)
"""Columns in which a published number must match some arm of the study, as far as the published table has them."""


def unmodified() -> pl.Expr:
    """Whether a trial has no ablation."""
    return pl.col("ablation") == "none"


def series() -> pl.Expr:
    """The name of a line: `hue` and `variant` in one text, unless the variant is a default."""
    default = pl.col("variant").is_in(UNNAMED)
    return pl.when(default).then("hue").otherwise(pl.concat_str("hue", "variant", separator=", "))


def moments(results: Results) -> list[str]:
    """The moments of pruning in the order of a training, in words; arms that are pruned on the way have none."""
    placed = sorted(results.arms.values(), key=lambda arm: arm.at_step)
    return list(dict.fromkeys(moment_label(arm.arm.at) for arm in placed if arm.arm.at is not None))


def retrained_between_rounds(results: Results) -> bool:
    """Whether some arm is pruned in rounds with retraining after each."""
    return any(placed.arm.rounds.retrains for placed in results.arms.values())


def shares(results: Results) -> dict[str, float]:
    """Of each arm that is retrained, by label, the time that its retraining takes, as a share of the recipe."""
    return {label: placed.share for label, placed in results.arms.items() if placed.share is not None}


def lengthless(results: Results) -> dict[str, str]:
    """Of each arm that is retrained, by label, the cell of its retraining without its length."""
    return {label: _lengthless(results.arms[label].arm.retrain) for label in shares(results)}


def _lengthless(retrain: Retraining) -> str:
    parameters = {key: value for key, value in retrain.changed().items() if key != retrain.own_length()}
    return cell({"name": retrain.name, **parameters} if parameters else retrain.name)


def selects(column: str, wanted: str, cell: str) -> bool:
    """Whether a value in a published table includes an arm's: `snip` includes every choice of its parameters."""
    return means({column: wanted}, choices({column: cell}))
