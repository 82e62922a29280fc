"""Published numbers with ours: a panel per arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl

from prunectl.report import palette
from prunectl.report.charts import arm_panels, axes
from prunectl.report.charts.arm_panels import NUMBERS, OWN_SCALE, PANEL_PX, PANELS
from prunectl.report.charts.chart import Chart
from prunectl.report.charts.look import Look
from prunectl.results.published.against import Held

PUBLISHED = "published"


def against(held: Held, label: str, name: str, look: Look, arms: Sequence[str]) -> Chart | None:
    """Our accuracy with its t-interval, and the published number as a hollow mark.

    `label` names our table; `arms` gives the panel of each row.
    """
    shown = list(dict.fromkeys(arms))[:PANELS]
    frame = arm_panels.frame(
        {"hue": label, "arm": arm} | {key: row.get(key) for key in ("sparsity", "n", *NUMBERS)}
        for arm, row in zip(arms, held.rows, strict=True)
        if arm in shown
    )
    if frame.is_empty():
        return None
    frame = frame.with_columns(
        pl.coalesce("low", "ours").alias("from"), pl.coalesce("high", "ours").alias("to"), of=pl.lit(PUBLISHED)
    )
    columns = (PUBLISHED, "ours", "from", "to")
    own = arm_panels.uneven(arm_panels.ranges(frame, columns))
    several = frame["low"].is_not_null().any()
    layers = _layers(frame, label, look, arm_panels.accuracy(frame, "ours", columns, own))
    return Chart(
        name=name,
        title=f"{held.name} compared with {label}",
        caption="Hollow: published. Filled: the mean over our seeds"
        + (" with its 95 % t-interval." if several else ".")
        + (OWN_SCALE if own else "")
        + ("" if len(set(arms)) <= PANELS else f" The first {PANELS} arms."),
        spec=arm_panels.spec(layers if several else layers[1:], frame, shown, look, own),
        panel_px=PANEL_PX,
    )


def _layers(frame: pl.DataFrame, label: str, look: Look, y: alt.Y) -> list[alt.Chart]:
    """Our intervals, our means (filled) and the published numbers (hollow). One legend shows both kinds of marks."""
    marks = replace(
        look,
        colours={label: look.colours[label], PUBLISHED: palette.NOTE},
        shapes={label: look.shapes[label], PUBLISHED: "diamond"},
    )
    tooltip = arm_panels.tooltip("95 % t-interval", published=PUBLISHED, ours=label)

    def encoding(field: str) -> dict[str, Any]:
        fill = marks.fill(field, hollow=[PUBLISHED])
        return {"color": marks.colour(field=field), "fill": fill, "shape": marks.shape(field=field), "tooltip": tooltip}

    base = alt.Chart().encode(x=axes.even_sparsities(frame))
    interval = base.mark_rule(strokeWidth=2, opacity=0.6, color=look.colours[label])
    return [
        interval.encode(y=axes.along(y, "from:Q"), y2="to:Q"),
        base.mark_point(size=46, opacity=1).encode(y=y, **encoding("hue")),
        base.mark_point(size=90, strokeWidth=1.8, opacity=1).encode(y=axes.along(y, "published:Q"), **encoding("of")),
    ]
