"""What the masks are like: layer by layer, and how near they come to the compression asked for."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report import palette
from prunectl.report.charts import pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.pieces import HEIGHT, SHOWN, WIDTH, Look
from prunectl.results.aggregate import with_roles
from prunectl.results.pairing import groups

LEAST = 1e-4
"""The smallest share of weights kept that the colours still tell apart."""


def layer_heat(layers: pl.DataFrame, trials: pl.DataFrame, look: Look) -> Chart | None:
    """The share of weights that each layer keeps, a panel per arm; a cross where nothing is left."""
    frame = _kept(layers, trials, look)
    if frame.is_empty():
        return None
    names = frame.sort("index", maintain_order=True)["layer"].unique(maintain_order=True).to_list()
    ticks = [percent(value) for value in sorted(frame["sparsity"].unique())]
    least = max(LEAST, min([value for value in frame["kept"] if value > 0], default=LEAST))
    x = alt.X("at_sparsity:N", sort=ticks, title="sparsity", axis=alt.Axis(labelAngle=-40, labelOverlap=True))
    y = alt.Y("layer:N", sort=names, title=None, axis=alt.Axis(labelLimit=150))
    scale = alt.Scale(type="log", domain=[min(least, 0.5), 1], clamp=True, scheme="cividis")
    legend = alt.Legend(title="weights kept in the layer", format=".2~p", gradientLength=220, tickCount=4)
    tooltip = [
        alt.Tooltip("panel:N", title="arm"), alt.Tooltip("layer:N"),
        alt.Tooltip("at_sparsity:N", title="sparsity asked for"), alt.Tooltip("kept:Q", title="kept", format=".3~p"),
        alt.Tooltip("left:Q", title="weights left, mean over seeds", format=",.1f"),
        alt.Tooltip("n:Q", title="weights", format=","), alt.Tooltip("dead:Q", title="seeds with nothing left"),
    ]  # fmt: skip
    base = alt.Chart().encode(x=x, y=y, tooltip=tooltip)
    rect = base.mark_rect(stroke="#8884", strokeWidth=0.5).encode(color=alt.Color("kept:Q", scale=scale, legend=legend))
    dead = base.transform_filter("datum.dead > 0")
    box = dead.mark_rect(fill="#2b0a0a", stroke="#ff6b57", strokeWidth=1)
    cross = dead.mark_text(text="×", color="#ff8f7d", fontSize=15, fontWeight="bold")
    width, height = max(130, 34 * len(ticks)), min(1200, max(60, 17 * len(names)))
    panel = alt.layer(rect, box, cross).properties(width=width, height=height)
    order = frame["panel"].unique(maintain_order=True).to_list()
    columns = ["hue", "panel", "layer", "at_sparsity", "kept", "left", "n", "dead"]
    facet = alt.Facet("panel:N", title=None, sort=order)
    sheet = Sheet()
    chart = pieces.own_axes(panel.facet(facet, data=sheet.rows(frame, columns), columns=6)).transform_filter(SHOWN)
    return Chart(
        name="layers",
        title="Where the weights go: layer by layer",
        caption=(
            "Layers from input (top) to output; the colour is the share of the layer's weights that the mask keeps "
            "(mean over the seeds). A red cross: nothing is left of the layer in at least one seed. "
            "Ablations that keep every count are not drawn twice."
        ),
        spec=spec_of(chart.add_params(look.shown()), sheet),
        panel_px=width + 60,
    )


def _kept(layers: pl.DataFrame, trials: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Per panel, layer and sparsity: the mean share kept. Sparsity 0 keeps everything and is left out."""
    arms = with_roles(trials, look.role).select("arm", "hue", "variant").unique("arm")
    named = layers.filter(pl.col("sparsity") > 0).join(arms, on="arm", how="inner", maintain_order="left")
    if named.is_empty():
        return named
    told = [name for name in named["arm"].unique(maintain_order=True) if name not in _copies(named)]
    frame = (
        pieces.with_series(named.filter(pl.col("arm").is_in(told)))
        .group_by("arm", "hue", "series", "ablation", "layer", "index", "sparsity", maintain_order=True)
        .agg(
            n=pl.col("n").first(),
            left=pl.col("kept").mean(),
            kept=(pl.col("kept") / pl.col("n")).mean(),
            dead=(pl.col("kept") == 0).sum(),
        )
    )
    ablated = pl.when(pl.col("ablation") == "none").then("series")
    panel = ablated.otherwise(pl.concat_str(["series", "ablation"], separator=", ")).alias("panel")
    places = frame["sparsity"].map_elements(percent, return_dtype=pl.String).alias("at_sparsity")
    return frame.with_columns(panel, places)


def _copies(layers: pl.DataFrame) -> set[str]:
    """Arms whose masks keep as many weights in every layer as an earlier arm of the same hue does, as far as both
    are there.
    """
    seen: dict[str, list[dict[tuple[object, ...], int]]] = {}
    copies: set[str] = set()
    for (arm, hue), rest in groups(layers, ["arm", "hue"]):
        counts = {key[:-1]: key[-1] for key in rest.select("sparsity", "seed", "index", "kept").iter_rows()}
        earlier = seen.setdefault(hue, [])
        if any(_agree(counts, other) for other in earlier):
            copies.add(arm)
        else:
            earlier.append(counts)
    return copies


def _agree(ones: dict[tuple[object, ...], int], others: dict[tuple[object, ...], int]) -> bool:
    shared = ones.keys() & others.keys()
    return bool(shared) and all(ones[key] == others[key] for key in shared)


def compression(trials: pl.DataFrame, look: Look) -> Chart | None:
    """How far the compression reached is from the one asked for, in percent of it."""
    known = with_roles(trials, look.role).filter(
        pl.col("compression_error").is_finite() & pl.col("compression_error").is_not_null() & (pl.col("sparsity") > 0)
    )
    if known.is_empty():
        return None
    by = ["hue", "variant", "ablation", "compression"]
    error = pl.col("compression_error")
    frame = known.group_by(by, maintain_order=True).agg(
        mean=error.mean(), low=error.min(), high=error.max(), actual=pl.col("compression_actual").mean(), n=pl.len()
    )
    frame, look = pieces.with_series(frame), look.among(frame)
    far = max(0.01, *(abs(value) * 1.1 for name in ("low", "high") for value in frame[name]))
    y = alt.Y("mean:Q", title="reached / asked − 1", scale=alt.Scale(domain=[-far, far], nice=False),
              axis=alt.Axis(format="+.2~%", tickCount=6))  # fmt: skip
    x = pieces.remaining_axis(frame["compression"].to_list())
    base = alt.Chart().encode(x=x)
    bar = base.mark_rule().encode(
        y=alt.Y("low:Q", scale=y["scale"], title=y["title"]), y2="high:Q", color=look.colour()
    )
    point = base.mark_point(size=48, filled=True, opacity=0.9).encode(
        y=y, color=look.colour(), shape=look.shape(),
        tooltip=[
            alt.Tooltip("series:N", title="arm"), alt.Tooltip("ablation:N"),
            alt.Tooltip("compression:Q", title="asked", format=".4~r"),
            alt.Tooltip("actual:Q", title="reached", format=".5~r"),
            alt.Tooltip("mean:Q", title="error", format="+.3%"), alt.Tooltip("n:Q", title="seeds"),
        ],
    )  # fmt: skip
    sheet = Sheet()
    zero = alt.Chart(sheet.values([{"zero": 0}])).mark_rule(color=palette.NOTE).encode(y=alt.datum(0))
    drawn = alt.layer(bar, point, data=sheet.rows(frame, ["series", *by, "mean", "low", "high", "actual", "n"]))
    chart = alt.layer(zero, drawn.transform_filter(SHOWN)).properties(width=WIDTH, height=HEIGHT)
    return Chart(
        name="compression",
        title="Compression asked for and reached",
        caption="Means over the seeds, lines from the least to the greatest. 0: exactly as asked.",
        spec=spec_of(chart.add_params(look.shown()), sheet),
    )
