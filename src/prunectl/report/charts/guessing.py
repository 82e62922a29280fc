"""Chance on axes of accuracy: a thin dotted line with its name, only where some network comes down to it."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from prunectl.report import palette
from prunectl.report.charts import axes
from prunectl.report.charts.look import Look
from prunectl.results.chance import guessed
from prunectl.results.table import METRICS

DASH = [1, 3]
NAME: dict[str, Any] = {
    "align": "left", "baseline": "bottom", "dx": 3, "dy": -1, "fontSize": 10, "color": palette.NOTE, "clip": True,
}  # fmt: skip
"""The look of the word at the left end of the line, where lines of accuracy are high."""
ABOVE: dict[str, Any] = {"align": "center", "baseline": "bottom", "dx": 0, "dy": -3, "clip": False}
"""What differs where it is above the frame."""


def rule(y: alt.Y, look: Look, metric: str = "top1") -> list[alt.Chart]:
    """The line for an axis with a domain, once in each panel; nothing where the axis does not reach chance."""
    value, low = _of(look, metric)[0], axes.domain_of(y)[0]
    if value is None or low > value:
        return []
    return _drawn(alt.Chart().transform_aggregate(lines="count()"), alt.YDatum(value))


def upright(x: alt.X, look: Look, metric: str = "top1") -> list[alt.Chart]:
    """The line for accuracies along the bottom, its name above the frame."""
    value, (low, _) = _of(look, metric)[0], x["scale"]["domain"]
    if value is None or low > value:
        return []
    once = alt.Chart().transform_aggregate(lines="count()")
    line = once.mark_rule(strokeDash=DASH, color=palette.NOTE, strokeWidth=1, clip=True)
    name = once.mark_text(**NAME | ABOVE)
    at = alt.XDatum(value)
    return [line.encode(x=at), name.encode(x=at, y=alt.value(0), text=alt.value("chance"))]


def own_rule(y: alt.Y, frame: pl.DataFrame, field: str = "center") -> list[alt.Chart]:
    """The line in those panels with their own scales in which some number is one of guessing; nothing where none is.

    The frame, and so the data of the chart, has the columns of `with_chance`.
    """
    if not (frame[field] <= frame["reach"]).any():
        return []
    once = alt.Chart().transform_aggregate(least=f"min({field})", chance="max(chance)", reach="max(reach)")
    reached = once.transform_filter("isValid(datum.chance) && isValid(datum.least) && datum.least <= datum.reach")
    return _drawn(reached, axes.along(y, "chance:Q"))


def with_chance(frame: pl.DataFrame, look: Look) -> pl.DataFrame:
    """The frame with the columns `chance` and `reach`, the accuracy up to which networks guess; null if not known."""
    chance, reach = _of(look, "top1")
    return frame.with_columns(chance=pl.lit(chance, pl.Float64), reach=pl.lit(reach, pl.Float64))


def _of(look: Look, name: str) -> tuple[float | None, float | None]:
    """What guessing gives on average, and at most."""
    metric = next((each for each in METRICS if each.name == name), None)
    if metric is None or look.task is None:
        return None, None
    return metric.chance(look.task.classes), guessed(metric, look.task)


def _drawn(once: alt.Chart, y: alt.Y | alt.YDatum) -> list[alt.Chart]:
    line = once.mark_rule(strokeDash=DASH, color=palette.NOTE, strokeWidth=1, clip=True)
    return [line.encode(y=y), once.mark_text(**NAME).encode(x=alt.value(0), y=y, text=alt.value("chance"))]
