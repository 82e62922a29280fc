"""Matching sparsities, shaded in the charts of accuracy."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import made_up
from prunectl.report.charts import accuracy, charts, look
from prunectl.report.charts.shading import Shading
from prunectl.results.table import Results
from unit.report.small import shown, units


@pytest.fixture(scope="module")
def results() -> Results:
    """Magnitude pruning after training, retrained, is within a point of the dense network up to 90 %."""
    results = made_up.results(seeds=3, failed=0, epochs=1)
    loss = pl.when(pl.col("sparsity") > 0.95).then(-0.05).otherwise(-0.005)
    retrained = pl.when(pl.col("retrain") == "finetune").then(pl.col("top1_dense") + loss).otherwise("top1")
    return replace(results, trials=results.trials.with_columns(top1=retrained))


def test_the_band_ends_at_the_matching_sparsity_on_both_axes(results: Results) -> None:
    for chart, end in zip(charts(results)["accuracy"][:2], (0.9, 10), strict=True):
        (band,) = [unit for unit in units(shown(chart).spec) if unit["mark"]["type"] == "rect"]
        assert band["encoding"]["x2"]["datum"] == pytest.approx(end)
        assert "up to 90 %, at which magnitude · at end · finetune matches" in chart.caption


def test_only_magnitude_pruning_after_training_that_is_retrained_has_matching_sparsities(results: Results) -> None:
    assert Shading.of(results) == Shading(arm="magnitude · at end · finetune", sparsity=0.9)
    others = {label: placed for label, placed in results.arms.items() if not label.endswith("finetune")}
    assert "magnitude · at end" in others and Shading.of(replace(results, arms=others)) is None


def test_where_no_sparsity_matches_the_caption_says_so_and_nothing_is_shaded(results: Results) -> None:
    low = replace(results, trials=results.trials.with_columns(top1=pl.col("top1_dense") - 0.1))
    chart = shown(accuracy.against_sparsity(low.trials, look(low.trials), matching=Shading.of(low)))
    assert "No sparsity is matching" in chart.caption
    assert not [unit for unit in units(chart.spec) if unit["mark"]["type"] == "rect"]
