"""What each layer can spare: top-1 accuracy with it pruned alone, against the rate."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.base.text import percent, points
from prunectl.report import palette
from prunectl.report.charts import ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.results.sensitivity import Spared

COLUMNS = ["layer", "at_rate", "rate", "top1", "points", "text", "spared"]
SPARED = "#009e73"
"""The frame of what a layer can spare."""
NARROW, HIGH = 70, 24
"""The size of a cell, in pixels."""


def by_layer(found: Spared) -> Chart | None:
    """A cell for each layer and rate: its colour and number are the change of accuracy, framed within the margin."""
    known = found.rows.filter(pl.col("change").is_not_null())
    if known.is_empty():
        return None
    frame = known.with_columns(
        at_rate=pl.col("rate").map_elements(percent, return_dtype=pl.String),
        points=pl.col("change") * 100,
        text=pl.col("change").map_elements(_points, return_dtype=pl.String),
        spared=pl.when(pl.col("change") >= -found.margin - 1e-12).then(pl.lit(_spared(found))),
    )
    layers = known["layer"].unique(maintain_order=True).to_list()
    rates = [percent(rate) for rate in known["rate"].unique().sort()]
    sheet = Sheet()
    lowest = 100 * min(*known["change"], -found.margin)
    tooltip = [
        alt.Tooltip("layer:N"), alt.Tooltip("at_rate:N", title="removed"),
        alt.Tooltip("top1:Q", title="top-1", format=ticks.ACCURACY), alt.Tooltip("text:N", title="change, points"),
    ]  # fmt: skip
    base = alt.Chart(sheet.rows(frame, COLUMNS)).encode(
        x=alt.X("at_rate:N", sort=rates, title="removed of the layer", axis=_rates(rates)),
        y=alt.Y("layer:N", sort=layers, title=None, axis=alt.Axis(labelLimit=200)), tooltip=tooltip,
    )  # fmt: skip
    scale = alt.Scale(domain=[lowest, 0], clamp=True, scheme="cividis")
    legend = alt.Legend(title="change of top-1, points", format=ticks.NUMBER, gradientLength=200, tickCount=3)
    cell = base.mark_rect(stroke="#8884", strokeWidth=0.5).encode(
        color=alt.Color("points:Q", scale=scale, legend=legend)
    )
    ink = alt.condition(f"datum.points > {lowest / 2}", alt.value(palette.INK), alt.value("#ffffff"))
    number = base.mark_text(fontSize=11).encode(text="text:N", color=ink)
    marks = [cell, *([_frames(base, found)] if frame["spared"].is_not_null().any() else []), number]
    chart = alt.layer(*marks, width=NARROW * len(rates), height=HIGH * len(layers))
    return Chart(
        name="sensitivity",
        title="What each layer can spare",
        caption=(
            f"Change of top-1 accuracy in points with one layer pruned by {found.criterion} and all others dense, "
            f"without retraining. {_spared(found).capitalize()}."
        ),
        spec=spec_of(chart, sheet),
    )


def _rates(rates: list[str]) -> alt.Axis:
    return ticks.in_bands(rates, [[rate] for rate in rates], NARROW * len(rates))


def _spared(found: Spared) -> str:
    """What a frame means."""
    return f"framed: at most {points(found.margin)} lost"


def _frames(base: alt.Chart, found: Spared) -> alt.Chart:
    """A frame around each cell within the margin, with a legend: a picture has no caption."""
    legend = alt.Legend(title=None, symbolType="square", symbolSize=130)
    scale = alt.Scale(domain=[_spared(found)], range=[SPARED])
    framed = base.transform_filter("isValid(datum.spared)").mark_rect(filled=False, strokeWidth=2.5)
    drawn: alt.Chart = framed.encode(stroke=alt.Stroke("spared:N", scale=scale, legend=legend))
    return drawn


def _points(change: float) -> str:
    return points(change, sign=True, unit=False)
