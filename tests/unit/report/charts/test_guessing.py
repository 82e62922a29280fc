"""The line at chance: on every axis of accuracy that reaches it, and on no other."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from prunectl.report.charts import accuracy, comparison, guessing, look, masks
from prunectl.results.compare import compare
from unit.report import small
from unit.report.charts.test_masks import layers
from unit.report.small import TASK, shown, units


def words(chart: Any) -> list[Any]:
    """The values of chance that have the word at their line."""
    found = [unit["encoding"] for unit in units(shown(chart).spec) if unit["mark"]["type"] == "text"]
    return [each["y"].get("datum") for each in found if each.get("text", {}).get("value") == "chance"]


@pytest.mark.parametrize(("criteria", "expected"), [((), []), (("snip",), [0.1])])
def test_an_axis_has_chance_only_where_it_reaches_it(criteria: tuple[str, ...], expected: list[float]) -> None:
    trials = small.guessing(*criteria).with_columns(top1=pl.col("top1") - 0.004)
    drawn = look(trials, task=TASK)
    assert words(accuracy.against_sparsity(trials, drawn)) == expected
    assert words(accuracy.against_sparsity(trials, look(trials))) == [], "unknown without the number of classes"


def test_the_chance_of_top5_is_five_times_as_high() -> None:
    trials = small.swept().with_columns(top5=pl.col("top1") - 0.4)
    assert words(accuracy.against_compression(trials, look(trials, task=TASK), "top5")) == [0.5]


def test_rows_of_panels_with_their_own_scales_carry_chance_and_its_reach() -> None:
    frame = guessing.with_chance(small.swept(), look(small.swept(), task=TASK))
    assert frame.select("chance", "reach").unique().rows() == [(0.1, 0.1078)]
    assert guessing.with_chance(small.swept(), look(small.swept()))["chance"].is_null().all()


def test_panels_with_their_own_scales_have_chance_if_one_of_them_reaches_it() -> None:
    """A comparison in which one arm is far below the others: each panel has its own scale."""
    trials = small.swept(criteria=("magnitude", "snip", "grasp"))
    low = trials.with_columns(top1=pl.when(pl.col("criterion") == "grasp").then(pl.col("top1") - 0.8).otherwise("top1"))
    labels = ["A · a", "B · b"]
    for other, expected in ((low, ["chance"]), (trials, [])):
        paired = compare(trials, other, names=("a", "b"), tasks=(TASK, TASK))
        chart = shown(comparison.accuracies(paired, comparison.look_of(labels, TASK)))
        lines = [unit for unit in units(chart.spec) if unit["mark"].get("strokeDash") == guessing.DASH]
        assert [unit["encoding"]["y"]["field"] for unit in lines] == expected


def test_the_heat_map_marks_the_columns_of_networks_at_chance() -> None:
    trials = small.guessing("snip")
    chart = shown(masks.layer_heat(layers(trials), trials, look(trials, task=TASK)))
    marked = [row for row in small.rows(chart) if row["guess"]]
    assert [(row["panel"], row["at_sparsity"], row["layer"]) for row in marked] == [("snip", "90 %", "conv1")]
    assert "Above a column, ᶜ is at chance" in chart.caption
    plain = shown(masks.layer_heat(layers(small.swept()), small.swept(), look(small.swept(), task=TASK)))
    assert "ᶜ" not in plain.caption and not any("guess" in row for row in small.rows(plain))
