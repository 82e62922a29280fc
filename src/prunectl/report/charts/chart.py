"""A chart: a Vega-Lite specification with its name, title and caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from prunectl.base.keys import canonical, digest
from prunectl.base.text import finite
from prunectl.report.charts.ticks import LOCALE
from prunectl.report.palette import FAINT, INK, NOTE

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"

CONFIG: dict[str, Any] = {
    "font": FONT,
    "locale": LOCALE,
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
    "title": {
        "color": INK, "fontSize": 13, "anchor": "start", "subtitleColor": INK, "subtitleFontSize": 11,
        "subtitlePadding": 3,
    },
}  # fmt: skip
"""The style of every chart, in the colours of the light page and of paper. The style sheet changes them in the dark."""

HOISTED = ("$schema", "config", "params", "datasets")
"""Keys that are allowed only at the outermost level of a specification."""


@dataclass(frozen=True, kw_only=True)
class Name:
    """The name of a line, with its colour, its dash and the shape of its marks."""

    text: str
    colour: str
    dash: Sequence[int] = (1, 0)
    shape: str = ""  # empty for a line without marks


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture with its title and a sentence on how to read it."""

    name: str  # of letters, digits and hyphens
    title: str
    caption: str
    spec: dict[str, Any]
    labels_px: int = 0  # the width of the labels to the right of the frame
    names: Sequence[Name] = ()  # of the lines, where they have labels: narrow screens list them below the chart
    panel_px: int | None = None  # of charts with panels: the width of a panel with its gap
    secondary: bool = False  # whether another chart shows the same, in panels or better: drawn where it is asked for


class Sheet:
    """The data of one chart, kept outside of it and named in it: Altair copies whatever a chart holds."""

    def __init__(self) -> None:
        self.datasets: dict[str, list[dict[str, Any]]] = {}

    def rows(self, frame: pl.DataFrame, columns: Sequence[str]) -> alt.NamedData:
        """The columns as data, with numbers rounded to six digits: a screen shows fewer."""
        chosen = frame.select(columns).with_columns(pl.col(pl.Float64).round_sig_figs(6))
        return self.values(chosen.to_dicts())

    def values(self, values: list[dict[str, Any]]) -> alt.NamedData:
        """Rows as data."""
        name = digest(canonical(finite(values)))[:16]
        self.datasets[name] = values
        return alt.NamedData(name=name)


def spec_of(chart: alt.TopLevelMixin, sheet: Sheet, shown: dict[str, Any] | None = None) -> dict[str, Any]:
    """The specification with the common style, and with the parameter `shown` of the page's switches.

    It is not validated here, which is slow, but in tests. The parameter is added here because `add_params` of a chart
    with layers copies all of it four times.
    """
    spec: dict[str, Any] = chart.to_dict(validate=False)
    params = [*spec.get("params", []), *([] if shown is None else [shown])]
    return spec | ({"params": params} if params else {}) | {"config": CONFIG, "datasets": sheet.datasets}


def stacked(charts: Sequence[Chart]) -> dict[str, Any]:
    """All charts below each other in one specification, for one picture."""
    parts: list[dict[str, Any]] = []
    params: dict[str, Any] = {}
    datasets: dict[str, Any] = {}
    for chart in charts:
        part = {key: value for key, value in chart.spec.items() if key not in HOISTED}
        datasets |= chart.spec.get("datasets", {})
        for param in chart.spec.get("params", []):
            if "views" not in param and "select" not in param:
                params[param["name"]] = param
        below = {"vconcat": [part]} if "title" in part else part  # the title of an axis that panels share
        parts.append(below | {"title": chart.title})
    return {
        "padding": 16,
        "$schema": charts[0].spec["$schema"],
        "config": CONFIG | {"background": "white"},
        "params": list(params.values()),
        "datasets": datasets,
        "vconcat": parts,
        "spacing": 36,
        "resolve": {
            "scale": dict.fromkeys(
                ("color", "fill", "fillOpacity", "shape", "stroke", "strokeDash", "opacity"), "independent"
            )
        },
    }


def laid_out(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification as it is drawn: with legends below each other, which Vega-Lite passes on to Vega although its
    own schema does not have it.
    """
    config = spec.get("config", {})
    layout = {"top": {"direction": "vertical", "anchor": "start", "margin": 4}}
    return spec | {"config": config | {"legend": config.get("legend", {}) | {"layout": layout}}}
