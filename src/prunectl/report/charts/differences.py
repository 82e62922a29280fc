"""Differences paired by seed, as the charts of ablations and of comparisons draw them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from prunectl.report import palette
from prunectl.report.charts import axes, ticks
from prunectl.report.charts.look import SHOWN, Look

CAPTION = (
    "lines the 95 % t-interval of the mean difference, cut, with an arrow, where it goes far beyond the seeds. An "
    "interval that holds 0 settles nothing."
)
POINTS = ("mean", "low", "high", "difference")
DRAWN = ("from", "to", "below", "above")
"""The interval as drawn, and the ends at which it is cut."""
CUT = 1e-9
MOST = 100.0
"""The largest difference of two accuracies, in points."""


def points(means: pl.DataFrame, seeds: pl.DataFrame, panel: str | None) -> pl.DataFrame:
    """Means with their intervals, and the `difference` of every seed in rows below, in percentage points.

    `from` and `to` are the interval as drawn: no further than half the range of the seeds beyond them, counted for
    each value of `panel`, or for all together. Without an interval both are the mean, so that a panel without any
    still has a scale. `below` and `above` are the ends at which an interval is cut. `low` and `high` are within the
    differences that accuracies can have: a t-interval knows no bounds.
    """
    both = pl.concat([means, seeds], how="diagonal").with_columns(pl.col(name) * 100 for name in POINTS)
    both = both.with_columns(pl.col("low", "high").clip(-MOST, MOST))
    by = pl.lit("") if panel is None else pl.col(panel)
    least = pl.min_horizontal(pl.col("difference").min().over(by), 0.0)
    most = pl.max_horizontal(pl.col("difference").max().over(by), 0.0)
    room, bounded = pl.max_horizontal((most - least) / 2, 0.1), pl.col("low").is_not_null()
    return (
        axes.with_sparsity_text(both)
        .with_columns(
            pl.max_horizontal("low", pl.when(bounded).then(least - room).otherwise("mean")).alias("from"),
            pl.min_horizontal("high", pl.when(bounded).then(most + room).otherwise("mean")).alias("to"),
        )
        .with_columns(
            pl.when(pl.col("low") < pl.col("from") - CUT).then("from").alias("below"),
            pl.when(pl.col("high") > pl.col("to") + CUT).then("to").alias("above"),
        )
    )


def layers(
    frame: pl.DataFrame, look: Look, title: str, offset: str, tooltip: Sequence[alt.Tooltip], size: int
) -> list[Any]:
    """A line at 0, intervals, seeds and means, at the same sparsity next to each other by the column `offset`."""
    names = frame[offset].unique(maintain_order=True).to_list()
    y = alt.Y(
        "mean:Q", title=title, scale=alt.Scale(nice=False, zero=True, padding=8),
        axis=alt.Axis(tickCount=6, format=ticks.NUMBER),
    )  # fmt: skip
    base = alt.Chart().transform_filter(SHOWN).encode(
        x=axes.even_sparsities(frame, marks=len(names), title=None), xOffset=axes.next_to_each_other(offset, names)
    )  # fmt: skip
    zero = alt.Chart().mark_rule(color=palette.NOTE, strokeWidth=1).encode(y=alt.datum(0))
    interval = base.mark_rule(strokeWidth=2, clip=True, opacity=0.75).encode(
        y=axes.along(y, "from:Q"), y2="to:Q", color=look.colour(), **look.dash()
    )
    arrows = [
        base.mark_point(shape=shape, size=34, filled=True).encode(
            y=axes.along(y, f"{end}:Q"), color=look.colour(),
            opacity=alt.condition(f"isValid(datum.{cut})", alt.value(0.9), alt.value(0)),
        )
        for cut, end, shape in (("below", "from", "triangle-down"), ("above", "to", "triangle-up"))
        if frame[cut].is_not_null().any()
    ]  # fmt: skip
    seed = base.mark_point(size=14, filled=True, opacity=0.55).encode(y="difference:Q", color=look.colour())
    mean = base.mark_point(size=size, filled=True, opacity=1, clip=True).encode(
        y=y, color=look.colour(), shape=look.shape(), tooltip=list(tooltip)
    )
    return [zero, *([interval] if frame["low"].is_not_null().any() else []), *arrows, seed, mean]


def tooltip(*names: alt.Tooltip) -> list[alt.Tooltip]:
    """The tooltip of a mean difference, after `names`, which identify the arm."""
    return [
        *names,
        alt.Tooltip("at_sparsity:N", title="sparsity"),
        alt.Tooltip("mean:Q", title="mean difference, points", format=ticks.POINTS),
        alt.Tooltip("low:Q", title="95 % t-interval from", format=ticks.POINTS),
        alt.Tooltip("high:Q", title="to", format=ticks.POINTS),
        alt.Tooltip("n:Q", title="seeds"),
    ]
