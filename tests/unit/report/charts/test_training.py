"""Training curves: averaged over seeds, thinned, the dense network in every panel."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.report.charts import Chart, look, ticks, training
from prunectl.report.charts.cut import DENSE
from prunectl.results.table import CURVES
from unit.report import small
from unit.report.small import domain, encoding, marks, panels, rows, shown

TRIALS = small.swept()


def curve(trials: pl.DataFrame = TRIALS, epochs: int = 4) -> pl.DataFrame:
    """Accuracies that reach each trial's top-1 in equal steps; losses are one minus these, in training it is half."""
    return pl.DataFrame(
        [
            {
                "artefact": row["artefact"], "epoch": float(epoch), "top1": top1, "train_loss": 1 - top1,
                "train_top1": top1 / 2,
            }
            for row in trials.iter_rows(named=True)
            for epoch in range(1, epochs + 1)
            for top1 in [row["top1"] * epoch / epochs]
        ],
        schema=CURVES,
    )  # fmt: skip


def drawn(curves: pl.DataFrame, trials: pl.DataFrame = TRIALS, measure: str = "top1") -> Chart | None:
    return training.curves(curves, trials, look(trials), measure)


def test_a_panel_per_sparsity_with_the_dense_network_in_each() -> None:
    chart = shown(drawn(curve()))
    assert panels(chart) == ["50 % sparsity", "90 % sparsity"]
    assert marks(chart) == ["line", "line"]
    dense = [row for row in rows(chart) if not row["pruned"]]
    assert {row["panel"] for row in dense} == set(panels(chart))
    assert [row["value"] for row in dense if row["panel"] == "50 % sparsity"] == pytest.approx(
        [0.902 * epoch / 4 for epoch in (1, 2, 3, 4)]
    )


def test_lines_are_means_over_the_seeds() -> None:
    last = {
        (row["hue"], row["panel"]): row["value"] for row in rows(drawn(curve())) if row["pruned"] and row["epoch"] == 4
    }
    assert last[("snip", "90 % sparsity")] == pytest.approx(0.802)
    assert len(last) == 4


def test_losses_have_a_chart_of_their_own() -> None:
    chart = shown(drawn(curve(), measure="train_loss"))
    assert (chart.name, chart.title) == ("curves-train-loss", "Training loss along the training")
    assert "labelExpr" not in encoding(chart, "y")["axis"]


def test_training_accuracy_has_a_chart_of_its_own_in_percent() -> None:
    chart = shown(drawn(curve(), measure="train_top1"))
    assert (chart.name, chart.title) == ("curves-train-top1", "Training accuracy along the training")
    assert encoding(chart, "y")["axis"]["format"] in ticks.ACCURACIES
    last = [row["value"] for row in rows(chart) if not row["pruned"] and row["epoch"] == 4]
    assert last == pytest.approx([0.902 / 2] * 2)
    assert "augmented" in chart.caption and "augmented" not in shown(drawn(curve())).caption


def test_long_curves_are_thinned_but_keep_their_end() -> None:
    epochs = sorted({row["epoch"] for row in rows(drawn(curve(epochs=90)))})
    assert len(epochs) <= training.POINTS
    assert epochs[-1] == 90


def test_first_epochs_do_not_flatten_the_rest() -> None:
    long = curve(epochs=60)
    assert domain(drawn(long), "y")[0] > min(long["top1"])
    assert domain(drawn(long, measure="train_loss"), "y")[1] < max(long["train_loss"])


def test_a_loss_that_diverged_does_not_set_the_scale() -> None:
    diverged = curve().with_columns(train_loss=pl.when(pl.col("epoch") == 1).then(float("inf")).otherwise("train_loss"))
    assert domain(drawn(diverged, measure="train_loss"), "y")[1] < 2


def test_ablated_failed_and_missing_trials_have_no_curve() -> None:
    for column, value in (("ablation", "shuffle"), ("status", "failed"), ("artefact", None)):
        other = TRIALS.with_columns(pl.lit(value, pl.String).alias(column))
        assert drawn(curve(), other) is None


def test_without_curves_or_pruned_networks_there_is_no_chart() -> None:
    assert drawn(curve().clear()) is None
    dense = TRIALS.filter(pl.col("sparsity") == 0)
    assert drawn(curve(dense), dense) is None


def test_curves_without_the_measure_are_left_out() -> None:
    assert drawn(curve().with_columns(train_loss=pl.lit(None, pl.Float64)), measure="train_loss") is None


def test_a_training_with_one_evaluation_leaves_no_empty_panel() -> None:
    """A line of one point draws nothing."""
    assert training.curves(curve(epochs=1), TRIALS, look(TRIALS)) is None


def test_epochs_are_whole_numbers_where_they_are_whole() -> None:
    """Of two epochs the ticks would be 0.5 apart."""
    axis = encoding(shown(drawn(curve(epochs=2))), "x")["axis"]
    assert (axis["format"], axis["tickMinStep"]) == (ticks.COUNT, 1)
    halves = curve(epochs=4).with_columns(epoch=pl.col("epoch") / 2)
    parts = encoding(shown(drawn(halves)), "x")["axis"]
    assert parts["format"] == ticks.NUMBER and "tickMinStep" not in parts


def test_lines_that_need_panels_have_those_of_the_other_charts_at_the_highest_sparsity() -> None:
    ways, budgets = ("finetune", "lr-rewind", "weight-rewind"), ("0.1", "0.5", "1.0")
    trials = pl.concat(
        small.swept(["magnitude"], at="end", retrain=way, budget=budget, arm=f"{way} {budget}")
        for way in ways
        for budget in budgets
    )
    chart = shown(drawn(curve(trials), trials))
    assert panels(chart) == ["budget 10 %", "budget 50 %", "budget 100 %"]
    assert "All at 90 % sparsity." in chart.caption
    assert {(row["panel"], row["hue"]) for row in rows(chart) if row["pruned"]} == {
        (panel, way) for panel in panels(chart) for way in ways
    }


def silent(chart: Chart | None) -> set[str]:
    """The lines that are not whole within the axis of a chart of curves, and that its caption does not name."""
    made = shown(chart)
    low, high = domain(made, "y")
    cut = {
        row["series"] if row["pruned"] else DENSE
        for row in rows(made)
        if row["value"] is None or not low <= row["value"] <= high
    }
    return {name for name in cut if name not in made.caption}


FAR_BELOW = pl.col("artefact").str.starts_with("snip · at init/0.9")


@pytest.mark.parametrize("measure", training.MEASURES)
@pytest.mark.parametrize("epochs", [2, 4, 90])
def test_no_curve_is_silently_absent(measure: str, epochs: int) -> None:
    """One line of many is much worse than the others: its 2 % of the points were once cut off without a word."""
    many = pl.concat([small.swept(at=at, retrain=way) for at in ("init", "end") for way in ("none", "finetune")])
    for trials in (TRIALS, many):
        bad = pl.when(FAR_BELOW).then(pl.col(measure) * (100 if measure == "train_loss" else 0.01)).otherwise(measure)
        assert silent(drawn(curve(trials, epochs).with_columns(bad), trials, measure)) == set()


def test_the_axis_holds_the_end_of_each_curve_of_accuracies() -> None:
    """2 % of the points are those of one line of fifty: cut off, they would be all of it."""
    criteria = [f"c{number}" for number in range(60)]
    trials = small.swept(criteria, sparsities=(0.0, 0.5), seeds=[1])
    worst = pl.when(pl.col("artefact").str.starts_with("c7 ")).then(0.01).otherwise(0.9)
    chart = drawn(curve(trials).with_columns(top1=worst), trials)
    assert domain(chart, "y")[0] <= 0.01 and silent(chart) == set()


def test_curves_beyond_the_panel_are_named() -> None:
    criteria = [f"c{number}" for number in range(60)]
    trials = small.swept(criteria, sparsities=(0.0, 0.5), seeds=[1])
    far = pl.when(pl.col("artefact").str.starts_with("c7 · at init/0.5")).then(1e6).otherwise("train_loss")
    chart = drawn(curve(trials).with_columns(train_loss=far), trials, "train_loss")
    assert domain(chart, "y")[1] < 2, "it flattens no other curve"
    assert "Not drawn, because above the panel: c7" in shown(chart).caption
    early = shown(drawn(curve(epochs=60)))
    assert "In part below the panel: " in early.caption and "the dense network" in early.caption


def test_arms_without_a_curve_are_named() -> None:
    without = curve().filter(~pl.col("artefact").str.starts_with("snip"))
    assert "No line, because no epoch of theirs has this number: snip." in shown(drawn(without)).caption
    one = curve().filter((pl.col("epoch") == 1) | ~pl.col("artefact").str.starts_with("snip"))
    assert "No line, because they have one epoch only: snip." in shown(drawn(one)).caption
    other = pl.concat([TRIALS.filter(pl.col("criterion") == "magnitude"), small.swept(["lamp"])])
    assert "No line" not in shown(drawn(curve(other), other)).caption


def test_sparsities_without_a_panel_are_counted() -> None:
    many = small.swept(sparsities=[0.0, *(number / 10 for number in range(1, 10))])
    assert "6 of 9 sparsities." in shown(drawn(curve(many), many)).caption
