"""The critical compression of each arm, as a tick on an axis of compression."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from prunectl.base.text import plural
from prunectl.report import arms
from prunectl.report.charts import ticks as formats
from prunectl.report.charts.chart import Sheet
from prunectl.report.charts.look import SHOWN, Look
from prunectl.report.charts.pieces import HEIGHT, with_series
from prunectl.results.aggregate import with_roles

LENGTH = 14
"""Of a tick, in pixels."""


def limits(trials: pl.DataFrame, look: Look) -> pl.DataFrame:
    """The critical compressions of the unmodified arms, a row for each arm and seed; `compression` is of what
    sparsities are fractions of.
    """
    known = with_roles(trials.filter(arms.unmodified()), look.role).filter(
        pl.col("critical_compression").is_not_null()
        & ((pl.col("sparsity_of") != "all") | pl.col("n_prunable").is_not_null()).fill_null(value=True)
    )
    kept = pl.col("n_prunable") / pl.col("critical_compression")
    of_all = pl.col("n_params") / (pl.col("n_params") - pl.col("n_prunable") + kept)
    compression = pl.when(pl.col("sparsity_of") == "all").then(of_all).otherwise(pl.col("critical_compression"))
    rows = known.with_columns(compression=compression).unique(["arm", "seed"], maintain_order=True)
    return with_series(rows).select("series", "hue", "variant", "seed", "compression", "critical_by")


def within(limits: pl.DataFrame, x: alt.X) -> pl.DataFrame:
    """Those on an axis that `axes.remaining` has made."""
    low, high = x["scale"]["domain"]
    return limits.filter(pl.col("compression").is_between(low, high))


def caption(limits: pl.DataFrame, x: alt.X) -> str:
    """What the ticks are, and how many lie outside; nothing where no critical compression was computed."""
    if limits.is_empty():
        return ""
    outside = limits.height - within(limits, x).height
    rest = f" {plural(outside, 'tick')} outside the axis {'is' if outside == 1 else 'are'} not drawn."
    return " Ticks on the axis are critical compressions, seed by seed: beyond, a layer is empty." + (
        rest if outside else ""
    )


def ticks(sheet: Sheet, limits: pl.DataFrame, x: alt.X, look: Look, *, legend: bool) -> Any:
    """A tick at the lower end of the chart for each arm and seed. `legend`: whether the chart has one for colours."""
    data = sheet.rows(limits, limits.columns)
    mark = alt.Chart(data).transform_filter(SHOWN).mark_tick(orient="vertical", size=LENGTH, thickness=2.5)
    tooltip = [
        alt.Tooltip("series:N", title="arm"), alt.Tooltip("seed:Q", title="seed"),
        alt.Tooltip("compression:Q", title="critical compression", format=formats.NUMBER),
        alt.Tooltip("critical_by:N", title="exact or found"),
    ]  # fmt: skip
    return mark.encode(x=x, y=alt.value(HEIGHT - LENGTH / 2), color=look.colour(legend), tooltip=tooltip)
