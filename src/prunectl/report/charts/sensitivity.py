"""What each layer can spare: top-1 accuracy with it pruned alone, against the rate."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.base.text import percent, points
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.results.sensitivity import Spared

COLUMNS = ["layer", "at_rate", "rate", "top1", "change", "text", "fine"]


def by_layer(found: Spared) -> Chart | None:
    """A cell for each layer and rate: its colour and number are the change of accuracy, framed within the margin."""
    known = found.rows.filter(pl.col("change").is_not_null())
    if known.is_empty():
        return None
    frame = known.with_columns(
        at_rate=pl.col("rate").map_elements(percent, return_dtype=pl.String),
        text=pl.col("change").map_elements(_points, return_dtype=pl.String),
        fine=pl.col("change") >= -found.margin - 1e-12,
    )
    layers = known["layer"].unique(maintain_order=True).to_list()
    rates = [percent(rate) for rate in known["rate"].unique().sort()]
    sheet = Sheet()
    lowest = min(float(known["change"].min()), -found.margin)  # type: ignore[arg-type]
    tooltip = [
        alt.Tooltip("layer:N"), alt.Tooltip("at_rate:N", title="removed"),
        alt.Tooltip("top1:Q", title="top-1", format=".2%"), alt.Tooltip("text:N", title="change, points"),
    ]  # fmt: skip
    base = alt.Chart(sheet.rows(frame, COLUMNS)).encode(
        x=alt.X("at_rate:N", sort=rates, title="removed of the layer", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("layer:N", sort=layers, title=None, axis=alt.Axis(labelLimit=200)), tooltip=tooltip,
    )  # fmt: skip
    scale = alt.Scale(domain=[lowest, 0], clamp=True, scheme="cividis")
    legend = alt.Legend(title="change of top-1", format=".2~p", gradientLength=200, tickCount=3)
    colour = alt.Color("change:Q", scale=scale, legend=legend)
    cell = base.mark_rect(stroke="#8884", strokeWidth=0.5).encode(color=colour)
    frame_ = base.transform_filter("datum.fine").mark_rect(fillOpacity=0, stroke="#009e73", strokeWidth=2.5)
    ink = alt.condition(f"datum.change > {lowest / 2}", alt.value("#1a1c20"), alt.value("#ffffff"))
    number = base.mark_text(fontSize=11).encode(text="text:N", color=ink)
    chart = alt.layer(cell, frame_, number, width=70 * len(rates), height=24 * len(layers))
    return Chart(
        name="sensitivity",
        title="What each layer can spare",
        caption=(
            f"Change of top-1 accuracy in points with one layer pruned by {found.criterion} and all others dense, "
            f"without retraining. Framed: at most {points(found.margin)} lost."
        ),
        spec=spec_of(chart, sheet),
    )


def _points(change: float) -> str:
    return points(change, sign=True, unit=False)
