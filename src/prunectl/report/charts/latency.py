"""Accuracy against the milliseconds that were measured, for each variant of the networks and each batch size."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.base.text import and_list, percent, plural
from prunectl.report import arms, palette
from prunectl.report.charts import axes, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look, mark_legend
from prunectl.report.charts.pieces import HEIGHT
from prunectl.results.aggregate import with_roles

PANEL = 340
DENSE = ("dense", "onnx-dense")
"""The variants of the network that is not pruned: hollow marks."""
FIELDS = ["series", "hue", "variant", "form", "panel", "sparsity", "removed", "top1", "ms", "ms_low", "ms_high", "n"]


def against_milliseconds(latencies: pl.DataFrame, trials: pl.DataFrame, look: Look) -> Chart | None:
    """A panel for each batch size, a mark for each variant of each network, the dense ones hollow."""
    frame = _points(latencies, with_roles(trials, look.role))
    if frame.is_empty():
        return None
    forms = frame["form"].unique(maintain_order=True).to_list()
    sheet = Sheet()
    layers = _marks(frame, look.among(frame), forms)
    panels = frame.sort("batch", maintain_order=True)["panel"].unique(maintain_order=True).to_list()
    chart = pieces.faceted(
        layers, sheet.rows(frame, FIELDS), "panel", panels, 2, width=PANEL, height=HEIGHT, transform=ONLY_SHOWN
    )
    chart.resolve = alt.Resolve(  # batches of one and of many images take very different times
        axis=alt.AxisResolveMap(x="independent"), scale=alt.ScaleResolveMap(x="independent")
    )
    return Chart(
        name="top1-latency",
        title="Top-1 accuracy against measured milliseconds",
        caption=_caption(latencies, frame),
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=PANEL + 60,
    )


def _points(latencies: pl.DataFrame, trials: pl.DataFrame) -> pl.DataFrame:
    """Medians over seeds, of the arms without ablations. A dense variant has the accuracy of the dense network."""
    dense = pl.col("form").is_in(DENSE)
    known = latencies.rename({"variant": "form"}).filter(arms.unmodified() & pl.col("ms").is_not_null())
    known = known.with_columns(
        top1=pl.when(dense).then("top1_dense").otherwise("top1"),
        sparsity=pl.when(dense).then(0.0).otherwise("sparsity"),
    ).filter(pl.col("top1").is_not_null())
    if known.is_empty():
        return known
    hues = trials.select("arm", "hue", "variant").unique("arm", maintain_order=True)
    named = known.join(hues, on="arm", how="inner", maintain_order="left")
    by = ["hue", "variant", "ablation", "form", "batch", "sparsity"]
    frame = named.group_by(by, maintain_order=True).agg(
        pl.col("top1").mean(), pl.col("ms", "ms_low", "ms_high").median(), n=pl.col("seed").n_unique()
    )
    return pieces.with_series(frame).with_columns(
        panel=pl.col("batch").map_elements(lambda batch: f"batch of {plural(batch, 'image')}", return_dtype=pl.String),
        removed=pl.col("sparsity").map_elements(percent, return_dtype=pl.String),
    )


def _marks(frame: pl.DataFrame, look: Look, forms: list[str]) -> list[alt.Chart]:
    scale = alt.Scale(type="log", nice=False, padding=14)
    axis = alt.Axis(grid=False, format=ticks.NUMBER, tickCount=5)
    x = alt.X("ms:Q", title="milliseconds (log scale)", axis=axis, scale=scale)
    y = axes.accuracy("top-1 accuracy", frame["top1"].to_list(), "top1:Q")
    shapes = alt.Shape("form:N", scale=alt.Scale(domain=forms, range=palette.shapes(forms)), legend=mark_legend(forms))
    tooltip = [
        alt.Tooltip("series:N", title="arm"), alt.Tooltip("form:N", title="variant"),
        alt.Tooltip("removed:N", title="sparsity"), alt.Tooltip("top1:Q", title="top-1", format=ticks.ACCURACY),
        alt.Tooltip("ms:Q", title="milliseconds, median", format=ticks.NUMBER),
        alt.Tooltip("ms_low:Q", title="quartiles from", format=ticks.NUMBER),
        alt.Tooltip("ms_high:Q", title="to", format=ticks.NUMBER), alt.Tooltip("n:Q", title="seeds"),
    ]  # fmt: skip
    colour = look.colour()
    base = alt.Chart().encode(y=y, color=colour)
    spread = base.mark_rule(strokeWidth=1, opacity=0.6).encode(x=alt.X("ms_low:Q", scale=scale), x2="ms_high:Q")
    place = f"indexof({list(DENSE)}, datum.form)"
    pruned = base.transform_filter(f"{place} < 0").mark_point(size=60, filled=True, opacity=1)
    dense = base.transform_filter(f"{place} >= 0").mark_point(size=110, filled=False, strokeWidth=2, opacity=1)
    return [spread, *(mark.encode(x=x, shape=shapes, tooltip=tooltip) for mark in (dense, pruned))]


def _caption(latencies: pl.DataFrame, frame: pl.DataFrame) -> str:
    machines = and_list(latencies["machine"].unique(maintain_order=True).to_list())
    repeats = and_list([f"{count:,}" for count in latencies["repeats"].unique().sort()])
    seeds = "" if frame["n"].max() == 1 else ", and of the seeds"
    return (
        f"Hollow: the dense network. Medians of {repeats} interleaved measurements{seeds}, lines their quartiles, on "
        f"{machines}. onnx is of the compact network where there is one, else of the masked one."
    )
