"""A chart: its picture as a Vega-Lite specification, and the words that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from prunectl.base.keys import canonical, digest
from prunectl.base.text import finite
from prunectl.report.palette import FAINT, INK, NOTE

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"

CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK, "titleColor": INK, "gridColor": FAINT, "domainColor": NOTE, "tickColor": NOTE,
        "labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "gridWidth": 0.7, "titlePadding": 8,
    },
    "legend": {
        "orient": "top", "labelColor": INK, "titleColor": INK, "labelFontSize": 11, "titleFontSize": 11,
        "titleFontWeight": "normal", "symbolSize": 70, "labelLimit": 260, "columnPadding": 14, "symbolStrokeWidth": 2,
    },
    "header": {
        "labelColor": INK, "titleColor": INK, "labelFontSize": 12, "labelFontWeight": "bold", "labelLimit": 320,
        "labelAnchor": "start",
    },
    "title": {"color": INK, "fontSize": 13, "anchor": "start"},
}  # fmt: skip
"""Colours are those of the light page and of paper; the page's style sheet overrides them in the dark."""


HOISTED = ("$schema", "config", "params", "datasets")
"""What only the outermost level of a specification may have."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture with its title and a sentence on how to read it."""

    name: str  # of letters, digits and hyphens
    title: str
    caption: str
    spec: dict[str, Any]
    labels_px: int = 0  # room for what stands to the right of the frame
    panel_px: int | None = None  # of panels side by side: the width of one with its gap


class Sheet:
    """The data of one chart. They stay beside the picture until it is done: Altair copies whatever it holds."""

    def __init__(self) -> None:
        self.datasets: dict[str, list[dict[str, Any]]] = {}

    def rows(self, frame: pl.DataFrame, columns: Sequence[str]) -> alt.NamedData:
        """The columns as data; numbers with six digits, which is more than a screen shows."""
        chosen = frame.select(columns).with_columns(pl.col(pl.Float64).round_sig_figs(6))
        return self.values(chosen.to_dicts())

    def values(self, values: list[dict[str, Any]]) -> alt.NamedData:
        """Rows as data."""
        name = digest(canonical(finite(values)))[:16]
        self.datasets[name] = values
        return alt.NamedData(name=name)


def spec_of(chart: alt.TopLevelMixin, sheet: Sheet) -> dict[str, Any]:
    """The specification, with the common style. Tests check it against Vega-Lite's schema; here it is trusted."""
    found: dict[str, Any] = chart.to_dict(validate=False)
    return found | {"config": CONFIG, "datasets": sheet.datasets}


def stacked(charts: Sequence[Chart]) -> dict[str, Any]:
    """All charts below each other in one specification, for a picture in one file."""
    parts: list[dict[str, Any]] = []
    params: dict[str, Any] = {}
    datasets: dict[str, Any] = {}
    for chart in charts:
        part = {key: value for key, value in chart.spec.items() if key not in HOISTED}
        datasets |= chart.spec.get("datasets", {})
        for param in chart.spec.get("params", []):
            if "views" not in param and "select" not in param:
                params[param["name"]] = param
        parts.append(part | {"title": chart.title})
    return {
        "padding": 16,
        "$schema": charts[0].spec["$schema"],
        "config": CONFIG | {"background": "white"},
        "params": list(params.values()),
        "datasets": datasets,
        "vconcat": parts,
        "spacing": 36,
        "resolve": {
            "scale": dict.fromkeys(("color", "fill", "fillOpacity", "shape", "strokeDash", "opacity"), "independent")
        },
    }
