"""Accuracy just after pruning and after retraining."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.base.text import percent
from prunectl.report.charts import look, recovery
from unit.report import small
from unit.report.small import encoding, marks, panels, rows, shown

TRIALS = small.swept(at="end", retrain="finetune").with_columns(
    top1_before_retrain=pl.when(pl.col("sparsity") > 0).then(pl.col("top1") - 0.3)
)


def test_two_phases_of_every_arm_the_first_hollow_and_dotted() -> None:
    chart = shown(recovery.before_and_after(TRIALS, look(TRIALS)))
    phases = ["just after pruning", "after retraining"]
    assert marks(chart) == ["line", "point"]
    assert encoding(chart, "fillOpacity")["scale"] == {"domain": phases, "range": [0, 1]}
    assert encoding(chart, "strokeDash")["scale"] == {"domain": phases, "range": [[2, 3], [1, 0]]}
    assert encoding(chart, "fill")["scale"]["range"] == encoding(chart, "color")["scale"]["range"]


def test_retraining_recovers_the_difference() -> None:
    points = {(row["hue"], row["sparsity"], row["phase"]): row["center"]
              for row in rows(recovery.before_and_after(TRIALS, look(TRIALS)))}  # fmt: skip
    for hue in ("magnitude", "snip"):
        before, after = (points[(hue, 0.9, phase)] for phase in recovery.PHASES.values())
        assert after - before == pytest.approx(0.3)
    assert {sparsity for _, sparsity, _ in points} == {0.5, 0.9}, "the dense network is not retrained"


def test_a_study_without_retraining_has_no_such_chart() -> None:
    bare = TRIALS.with_columns(top1_before_retrain=pl.lit(None, pl.Float64))
    assert recovery.before_and_after(bare, look(bare)) is None


def test_a_trial_needs_both_numbers() -> None:
    lost = TRIALS.with_columns(top1=pl.when(pl.col("criterion") == "snip").then("top1"))
    assert {row["hue"] for row in rows(recovery.before_and_after(lost, look(lost)))} == {"snip"}


def test_medians_are_called_medians() -> None:
    assert "Medians over the seeds." in shown(recovery.before_and_after(TRIALS, look(TRIALS, "median"))).caption


BUDGETS = ("0.125", "0.25", "0.5", "0.75", "1.0")
RENDA = pl.concat(
    small.swept(["magnitude"], at="end", retrain=retrain, budget=budget, arm=f"{retrain}, {budget}")
    for retrain in ("finetune", "lr-rewind", "weight-rewind")
    for budget in BUDGETS
).with_columns(top1_before_retrain=pl.when(pl.col("sparsity") > 0).then(0.9 - 0.4 * pl.col("sparsity")))


def test_many_budgets_are_a_panel_each_with_a_colour_for_each_retraining() -> None:
    """Thirty lines in one frame could not be told apart: Renda's study has three retrainings and five budgets."""
    chart = shown(recovery.before_and_after(RENDA, look(RENDA)))
    assert panels(chart) == [f"budget {percent(float(budget))}" for budget in BUDGETS]
    assert chart.panel_px is not None
    after = [row for row in rows(chart) if row["phase"] == "after retraining"]
    assert {row["hue"] for row in after} == {"finetune", "lr-rewind", "weight-rewind"} and len(after) == 3 * 5 * 2


def test_networks_that_only_their_retraining_sets_apart_have_one_line_just_after_pruning() -> None:
    missing = (pl.col("budget") == "0.5") & (pl.col("retrain") == "finetune") & (pl.col("seed") == 2)
    trials = RENDA.filter(~missing)
    chart = shown(recovery.before_and_after(trials, look(trials)))
    before = [row for row in rows(chart) if row["phase"] == "just after pruning"]
    assert {(row["panel"], row["sparsity"]) for row in before} == {
        (panel, sparsity) for panel in panels(chart) for sparsity in (0.5, 0.9)
    }
    assert len(before) == 5 * 2 and all(row["one"] for row in before)
    assert "(grey: the same network for every retraining)" in chart.caption
    assert "grey" not in shown(recovery.before_and_after(TRIALS, look(TRIALS))).caption, (
        "other criteria, other networks"
    )
