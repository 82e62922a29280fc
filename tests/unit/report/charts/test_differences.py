"""Differences paired by seed: the rows behind the marks, and the intervals cut where they go too far."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.report.charts import differences

MEANS = pl.DataFrame({
    "panel": ["a", "b"], "hue": ["snip", "snip"], "sparsity": [0.5, 0.5], "mean": [0.01, -0.001],
    "low": [-0.5, None], "high": [0.52, None], "n": [2, 1],
}, schema_overrides={"low": pl.Float64, "high": pl.Float64})  # fmt: skip
SEEDS = pl.DataFrame({
    "panel": ["a", "a", "b"], "hue": ["snip"] * 3, "sparsity": [0.5] * 3, "difference": [0.02, -0.02, -0.001],
})  # fmt: skip
MEANS = MEANS.with_columns(difference=pl.lit(None, pl.Float64))


def rows(panel: str | None) -> list[dict[str, Any]]:
    return differences.points(MEANS, SEEDS, panel).to_dicts()


def test_means_come_first_and_everything_is_in_points() -> None:
    found = rows("panel")
    assert [row["mean"] for row in found] == pytest.approx([1.0, -0.1, None, None, None])
    assert [row["difference"] for row in found] == pytest.approx([None, None, 2.0, -2.0, -0.1])
    assert {row["at_sparsity"] for row in found} == {"50 %"}
    assert (found[0]["low"], found[0]["high"]) == pytest.approx((-50.0, 52.0))


def test_an_interval_is_cut_half_the_range_of_its_panel_beyond_the_seeds() -> None:
    first = rows("panel")[0]
    assert (first["from"], first["to"]) == pytest.approx((-4.0, 4.0))


def test_panels_with_one_scale_are_cut_alike() -> None:
    narrow = SEEDS.with_columns(panel=pl.lit("b"))
    first = differences.points(MEANS, narrow, None).to_dicts()[0]
    assert (first["from"], first["to"]) == pytest.approx((-4.0, 4.0))
    alone = differences.points(MEANS, narrow, "panel").to_dicts()[0]
    assert (alone["from"], alone["to"]) == pytest.approx((-0.1, 0.1)), "its panel has no seeds"


def test_without_an_interval_the_mean_is_drawn_alone() -> None:
    second = rows("panel")[1]
    assert second["from"] == second["to"] == second["mean"]


def test_a_short_interval_is_drawn_whole() -> None:
    short = MEANS.with_columns(low=pl.lit(0.005), high=pl.lit(0.015))
    first = differences.points(short, SEEDS, "panel").to_dicts()[0]
    assert (first["from"], first["to"]) == pytest.approx((0.5, 1.5))


def test_no_interval_goes_beyond_the_differences_that_accuracies_can_have() -> None:
    wide = MEANS.with_columns(mean=pl.lit(-0.8), low=pl.lit(-1.03), high=pl.lit(1.2))
    far = SEEDS.with_columns(difference=pl.Series([-0.9, 0.9, -0.7]))
    first = differences.points(wide, far, "panel").to_dicts()[0]
    assert (first["low"], first["high"]) == (first["from"], first["to"]) == (-100.0, 100.0)
    assert first["below"] is None and first["above"] is None
