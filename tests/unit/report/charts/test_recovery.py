"""Accuracy just after pruning and after retraining."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.report.charts import look, recovery
from unit.report import small
from unit.report.small import encoding, marks, rows, shown

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
