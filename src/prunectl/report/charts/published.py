"""Published numbers with ours: a panel per arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl

from prunectl.report import palette
from prunectl.report.charts import arm_panels, axes, pieces
from prunectl.report.charts.arm_panels import OWN_SCALE, PANEL_PX, PANELS
from prunectl.report.charts.chart import Chart
from prunectl.report.charts.look import Look
from prunectl.results.published.against import Held
from prunectl.results.statistics import bootstrap

PUBLISHED = "published"


def against(held: Held, label: str, name: str, look: Look, arms: Sequence[str]) -> Chart | None:
    """Our accuracy over its seeds, with the interval that accuracies have, and the published number as a hollow mark.

    `label` names our table; `arms` gives the panel of each row.
    """
    shown = list(dict.fromkeys(arms))[:PANELS]
    frame = arm_panels.frame(
        {"hue": label, "arm": arm} | _numbers(row) for arm, row in zip(arms, held.rows, strict=True) if arm in shown
    )
    if frame.is_empty():
        return None
    frame = frame.with_columns(of=pl.lit(PUBLISHED))
    columns = (PUBLISHED, "ours", "low", "high")
    own = arm_panels.uneven(arm_panels.ranges(frame, columns))
    y = arm_panels.accuracy(frame, "ours", columns, own)
    interval, single, *means = _layers(frame, label, look, y)
    bounded, several = frame["low"].is_not_null().any(), max(frame["n"].to_list(), default=0) > 1
    return Chart(
        name=name,
        title=f"{held.name} compared with {label}",
        caption="Hollow: published. Filled: the mean over our seeds"
        + arm_panels.spread(frame)
        + (OWN_SCALE if own else "")
        + ("" if len(set(arms)) <= PANELS else f" The first {PANELS} arms."),
        spec=arm_panels.spec(
            [*([interval] if bounded else []), *([single] if several else []), *means],
            pieces.with_seeds(frame) if several else frame.drop("seeds"), shown, look, own,
        ),
        panel_px=PANEL_PX,
    )  # fmt: skip


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    """A published number and ours. The t-interval of the row judges the difference, and is in the table."""
    seeds = row["seeds"]
    interval = bootstrap(seeds) if seeds else None
    bounds = {"low": interval.low, "high": interval.high} if interval else {}
    return {key: row.get(key) for key in ("sparsity", "n", PUBLISHED, "ours")} | {"seeds": seeds} | bounds


def _layers(frame: pl.DataFrame, label: str, look: Look, y: alt.Y) -> list[alt.Chart]:
    """Our intervals, our seeds, our means (filled) and the published numbers (hollow), of which a legend shows both."""
    marks = replace(
        look,
        colours={label: look.colours[label], PUBLISHED: palette.NOTE},
        shapes={label: look.shapes[label], PUBLISHED: "diamond"},
    )
    tooltip = arm_panels.tooltip("80 % bootstrap interval", published=PUBLISHED, ours=label)

    def encoding(field: str) -> dict[str, Any]:
        fill = marks.fill(field, hollow=[PUBLISHED])
        return {"color": marks.colour(field=field), "fill": fill, "shape": marks.shape(field=field), "tooltip": tooltip}

    every = alt.Chart().encode(x=arm_panels.sparsity(frame))
    base = every.transform_filter(pieces.SUMMARY)
    single = every.mark_point(
        size=7, strokeWidth=0, opacity=0.5, shape="circle"
    )  # filled as the others, for the legend
    interval = base.mark_rule(strokeWidth=2, opacity=0.6, color=look.colours[label])
    return [
        interval.encode(y=axes.along(y, "low:Q"), y2="high:Q"),
        single.encode(y=axes.along(y, "seed:Q"), color=marks.colour(), fill=marks.fill(hollow=[PUBLISHED])),
        base.mark_point(size=46, opacity=1).encode(y=y, **encoding("hue")),
        base.mark_point(size=90, strokeWidth=1.8, opacity=1).encode(y=axes.along(y, "published:Q"), **encoding("of")),
    ]
