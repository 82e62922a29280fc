"""The arms of a study with one sparsity, in the order of their accuracy."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import made_up
from prunectl.report.charts import Chart, charts, look, one_sparsity
from unit.report import small
from unit.report.small import domain, encoding, rows, seeds, shown, units

THEIRS = pl.DataFrame([{"table": "theirs", "criterion": "snip", "ablation": "none", "sparsity": 0.9, "top1": 0.9}])
CRITERIA = ("magnitude", "snip", "random")
TRIALS = small.swept(CRITERIA, (0.0, 0.9))
LINES = {"top1-sparsity", "top1-compression", "top5-compression", "retraining"}


def test_a_row_for_each_arm_the_most_accurate_first() -> None:
    """Each is a hundredth below the one before, whatever the order of the study."""
    backwards = TRIALS.with_columns(top1=1.6 - pl.col("top1"))
    for trials, order in ((TRIALS, CRITERIA), (backwards, CRITERIA[::-1])):
        chart = shown(one_sparsity.by_arm(trials, look(trials)))
        assert chart.title == "Top-1 accuracy of the arms at 90 % sparsity"
        assert encoding(chart, "y", "point")["sort"] == [f"{criterion} · at init" for criterion in order]


def test_a_row_has_its_seeds_their_mean_and_its_interval() -> None:
    chart = one_sparsity.by_arm(TRIALS, look(TRIALS))
    (summary,) = [row for row in rows(chart) if row["hue"] == "snip"]
    assert summary["center"] == pytest.approx(0.802) and summary["low"] < 0.802 < summary["high"]
    assert [row["seed"] for row in seeds(chart) if row["hue"] == "snip"] == pytest.approx([0.801, 0.802, 0.803])
    assert "lines the 80 % bootstrap interval of the mean" in shown(chart).caption


def test_the_baseline_and_chance_are_lines_with_names_where_the_axis_reaches_them() -> None:
    low = TRIALS.with_columns(top1=pl.when(pl.col("criterion") == "random").then(0.1).otherwise("top1"))
    assert _texts(_drawn(TRIALS)) == ["dense 90.0 %"] and _texts(_drawn(low)) == ["chance", "dense 90.0 %"]


def test_what_an_arm_was_just_after_pruning_is_hollow() -> None:
    retrained = TRIALS.with_columns(top1_before_retrain=pl.when(pl.col("criterion") == "snip").then(0.3))
    before = {row["hue"]: row["before"] for row in rows(_drawn(retrained))}
    assert before == {"magnitude": None, "snip": pytest.approx(0.3), "random": None}
    assert "Hollow: just after pruning." in _drawn(retrained).caption and "Hollow" not in _drawn(TRIALS).caption
    assert domain(_drawn(retrained), "x")[0] < 0.3


def test_one_seed_has_no_interval_and_another_metric_no_baseline() -> None:
    single = TRIALS.filter(pl.col("seed") == 1)
    assert "One seed: points without intervals." in _drawn(single).caption
    assert [row["low"] for row in rows(_drawn(single))] == [None] * 3
    top5 = TRIALS.with_columns(top5=pl.col("top1") + 0.05)
    chart = shown(one_sparsity.by_arm(top5, look(top5), "top5"))
    assert chart.name == "top5-arms" and _texts(chart) == []


@pytest.mark.parametrize(
    "trials",
    [small.swept(CRITERIA), small.swept(CRITERIA[:2], (0.0, 0.9)), TRIALS.filter(pl.col("sparsity") == 0)],
    ids=["several sparsities", "two arms", "dense"],
)
def test_other_studies_have_no_such_chart(trials: pl.DataFrame) -> None:
    assert one_sparsity.by_arm(trials, look(trials)) is None


def test_a_page_has_it_instead_of_lines_between_two_points() -> None:
    """Lines are drawn where they are asked for; published numbers are marks on lines, which then stay."""
    made = made_up.results(seeds=3, failed=0, epochs=1)
    study = replace(made, trials=made.trials.filter(pl.col("sparsity").is_in([0.0, 0.9])))
    names = {chart.name for chart in charts(study)["accuracy"]}
    assert {"top1-arms", "top5-arms"} <= names and not LINES & names
    every = {chart.name for chart in charts(study, secondary=True)["accuracy"]}
    assert every >= names | {"top1-sparsity", "top1-compression", "top5-compression"}
    assert {chart.name for chart in charts(study, published=THEIRS)["accuracy"]} >= {
        "top1-sparsity",
        "top1-compression",
    }


def _drawn(trials: pl.DataFrame) -> Chart:
    return shown(one_sparsity.by_arm(trials, look(trials, task=small.TASK)))


def _texts(chart: Chart) -> list[str]:
    return [unit["encoding"]["text"]["value"] for unit in units(chart.spec) if "text" in unit["encoding"]]
