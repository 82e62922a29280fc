"""Accuracy of the arms of a study with one sparsity: lines against sparsity would be as many straight lines."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report import arms, palette
from prunectl.report.charts import accuracy, axes, guessing, pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look

FEWEST, MOST = 3, 60
"""With fewer arms there is no order to show, with more of them no page has room."""
WIDTH, ROW_PX = 440, 22
LABEL_PX = 330
"""The width that the name of an arm may take, left of the plot."""
FIELDS = (*pieces.FIELDS, "arm", "ablation", "before")
"""The columns that the rows and their tooltips need; `before` is the accuracy just after pruning."""


def by_arm(trials: pl.DataFrame, look: Look, metric: str = "top1") -> Chart | None:
    """A row for each unmodified arm, the most accurate at the top: every seed, their mean and its interval.

    Of top-1 also the baseline and, hollow, the accuracy just after pruning. None for studies with several sparsities,
    and with too few or too many arms.
    """
    pruned = trials.filter(arms.unmodified() & (pl.col("sparsity") > 0))
    if pruned["sparsity"].n_unique() != 1:
        return None
    frame = pieces.means(pruned, look, metric).sort("center", descending=True, maintain_order=True)
    if not FEWEST <= frame.height <= MOST:
        return None
    frame = _with_before(frame, pruned, look, metric)
    dense = accuracy.dense_of(frame, metric, look)
    sheet = Sheet()
    chart = alt.layer(
        *_layers(frame, look.among(frame), metric, dense),
        data=sheet.rows(pieces.with_seeds(frame), [*FIELDS, "seed"]), transform=ONLY_SHOWN,
        width=WIDTH, height=ROW_PX * frame.height,
    )  # fmt: skip
    hollow = " Hollow: just after pruning." if frame["before"].is_not_null().any() else ""
    return Chart(
        name=f"{metric}-arms",
        title=f"{accuracy.TITLES[metric].capitalize()} of the arms at {percent(frame['sparsity'][0])} sparsity",
        caption=f"{pieces.spread(frame, look, 'lines')}{hollow}",
        spec=spec_of(chart, sheet, look.shown()),
    )


def _with_before(frame: pl.DataFrame, pruned: pl.DataFrame, look: Look, metric: str) -> pl.DataFrame:
    """The rows with a column `before`, null where nothing was measured just after pruning."""
    if metric != "top1":
        return frame.with_columns(before=pl.lit(None, pl.Float64))
    before = pieces.means(pruned, look, "top1_before_retrain").select("arm", before="center")
    return frame.join(before, on="arm", how="left", maintain_order="left")


def _layers(frame: pl.DataFrame, look: Look, metric: str, dense: float | None) -> list[Any]:
    title = accuracy.TITLES[metric]
    numbers = axes.numbers(frame, ["center", "low", "high", "before"]) + ([] if dense is None else [dense])
    x = axes.across(axes.accuracy(title, numbers))
    label = alt.Axis(labelLimit=LABEL_PX, labelPadding=8, ticks=False, domain=False, grid=True)
    y = alt.Y("arm:N", title=None, sort=frame["arm"].to_list(), axis=label)
    every = alt.Chart().encode(y=y, color=look.colour(False))
    shape = look.shape(False)
    return [
        *guessing.upright(x, look, metric),
        *([] if dense is None else _dense(dense)),
        _with(every, "low").mark_rule(strokeWidth=5, opacity=0.3).encode(x=axes.across(x, "low:Q"), x2="high:Q"),
        _with(every, "seed").mark_point(size=14, filled=True, opacity=0.6).encode(x=axes.across(x, "seed:Q")),
        _with(every, "before").mark_point(size=60, filled=False).encode(x=axes.across(x, "before:Q"), shape=shape),
        _with(every, "center")
        .mark_point(size=60, filled=True, opacity=1)
        .encode(x=x, shape=shape, tooltip=pieces.tooltip(look, title)),
    ]


def _with(every: alt.Chart, field: str) -> alt.Chart:
    """The rows that have a number in a field: those of single seeds have no summary, few seeds no interval."""
    rows: alt.Chart = every.transform_filter(f"isValid(datum.{field})")
    return rows


def _dense(value: float) -> list[alt.Chart]:
    """The baseline as a line, once, with its name above the frame, left of it: it is mostly near the right end."""
    once = alt.Chart().transform_aggregate(lines="count()").encode(x=alt.XDatum(value))
    line = once.mark_rule(strokeDash=pieces.DENSE_DASH, color=palette.NOTE, strokeWidth=1.2)
    name = once.mark_text(**guessing.NAME | guessing.ABOVE | {"align": "right"})
    return [line, name.encode(y=alt.value(0), text=alt.value(pieces.dense_text(value)))]
