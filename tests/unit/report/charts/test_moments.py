"""Accuracy against the moment of pruning."""

from __future__ import annotations

import polars as pl
import pytest

from prunectl.report.charts import look, moments
from unit.report import small
from unit.report.small import encoding, marks, rows, shown

MOMENTS = ["end", "epoch=20", "step=50", "init"]
TRIALS = pl.concat([small.swept(at=at, seeds=[1, 2]) for at in MOMENTS])


def test_moments_are_in_the_order_of_the_training() -> None:
    chart = shown(moments.against_moment(TRIALS, look(TRIALS), per_epoch=100))
    assert encoding(chart, "x")["sort"] == ["init", "step=50", "epoch=20", "end"]
    assert [row["at"] for row in rows(chart)[:8:2]] == ["init", "step=50", "epoch=20", "end"]


def test_each_criterion_is_one_line_through_all_moments() -> None:
    chart = shown(moments.against_moment(TRIALS, look(TRIALS)))
    assert {(row["hue"], row["series"], row["variant"]) for row in rows(chart)} == {
        ("magnitude", "magnitude", ""), ("snip", "snip", ""),
    }  # fmt: skip
    assert marks(chart) == ["line", "point"], "bands of neighbouring moments would cover each other"
    assert {row["panel"] for row in rows(chart)} == {"50.0 % sparsity", "90.0 % sparsity"}


def test_what_else_varies_stays_a_dash() -> None:
    scopes = pl.concat([TRIALS, TRIALS.with_columns(scope=pl.lit("erk"), arm=pl.col("arm") + " · erk")])
    chart = shown(moments.against_moment(scopes, look(scopes)))
    assert encoding(chart, "strokeDash")["scale"]["domain"] == ["global", "erk"]


def test_retrained_and_ablated_networks_are_left_out() -> None:
    more = [TRIALS.with_columns(pl.lit("other").alias(name), arm=pl.lit(name)) for name in ("retrain", "ablation")]
    every = pl.concat([TRIALS, *more])
    assert len(rows(moments.against_moment(every, look(every)))) == len(
        rows(moments.against_moment(TRIALS, look(TRIALS)))
    )


@pytest.mark.parametrize("left", [["init", "end"], ["init"]])
def test_fewer_than_three_moments_are_no_axis(left: list[str]) -> None:
    few = TRIALS.filter(pl.col("at").is_in(left))
    assert moments.against_moment(few, look(few)) is None


def test_where_moments_have_the_colours_there_is_no_chart_against_them() -> None:
    single = TRIALS.filter(pl.col("criterion") == "snip")
    assert look(single).role.hue == "at"
    assert moments.against_moment(single, look(single)) is None
