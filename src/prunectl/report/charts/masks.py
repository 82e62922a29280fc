"""What the masks are like: layer by layer, and how near they come to the compression asked for."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import polars as pl

from prunectl.report import arms, palette
from prunectl.report.cells import CHANCE
from prunectl.report.charts import axes, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, SHOWN, Look
from prunectl.report.charts.pieces import HEIGHT, WIDTH
from prunectl.results.aggregate import summarise, with_roles
from prunectl.results.chance import explained
from prunectl.results.pairing import groups
from prunectl.results.summary import HIT
from prunectl.results.wording import in_words

SHOWN_OR_COMMON = [alt.FilterTransform(filter=f"!datum.hue || {SHOWN}")]
"""The filter behind the page's switches, which leaves what several hues have in common."""
ABOVE_PX = -5
"""Where the mark of networks at chance is: just above its column."""
LEAST = 1e-4
"""The smallest share of weights kept for which there is a colour."""


def layer_heat(layers: pl.DataFrame, trials: pl.DataFrame, look: Look) -> Chart | None:
    """The share of weights that each layer keeps, a panel per arm; a cross where nothing is left."""
    frame = _kept(layers, trials, look)
    if frame.is_empty():
        return None
    width, height = _width(frame), min(1200, max(60, 17 * frame["layer"].n_unique()))
    order = frame["panel"].unique(maintain_order=True).to_list()
    sheet = Sheet()
    columns = ["hue", "panel", "layer", "at_sparsity", "kept", "left", "n", "dead"]
    data = sheet.rows(frame, [*columns, "guess"] if frame["guess"].any() else columns)
    chart = pieces.faceted(_cells(frame), data, "panel", order, 6, width=width, height=height, x_title="sparsity",
                           transform=SHOWN_OR_COMMON)  # fmt: skip
    return Chart(
        name="layers",
        title="Where the weights go: layer by layer",
        caption=(
            "Layers from input (top) to output; the colour is the share of the layer's weights that the mask keeps "
            "(mean over the seeds). A red cross: nothing is left of the layer in at least one seed. "
            "Arms of a criterion that keep the same counts are drawn once."
            + (f" Above a column, {CHANCE} is {explained(look.task)}." if frame["guess"].any() else "")
        ),
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=width + 60,
    )


def _width(frame: pl.DataFrame) -> int:
    """The width of a panel, in pixels."""
    return max(140, min(290, 34 * frame["sparsity"].n_unique()))


def _cells(frame: pl.DataFrame) -> list[alt.Chart]:
    """A cell per layer and sparsity, framed and crossed where nothing is left."""
    names = frame.sort("index", maintain_order=True)["layer"].unique(maintain_order=True).to_list()
    least = max(LEAST, min([value for value in frame["kept"] if value > 0], default=LEAST))
    scale = alt.Scale(type="log", domain=[min(least, 0.5), 1], clamp=True, scheme="cividis")
    legend = alt.Legend(title="weights kept in the layer", format=ticks.SHARE, gradientLength=220, tickCount=4)
    tooltip = [
        alt.Tooltip("panel:N", title="arm"), alt.Tooltip("layer:N"),
        alt.Tooltip("at_sparsity:N", title="sparsity asked for"),
        alt.Tooltip("kept:Q", title="kept", format=ticks.SHARE),
        alt.Tooltip("left:Q", title="weights left, mean over seeds", format=ticks.MEAN_COUNT),
        alt.Tooltip("n:Q", title="weights", format=ticks.COUNT), alt.Tooltip("dead:Q", title="seeds with nothing left"),
    ]  # fmt: skip
    y = alt.Y("layer:N", sort=names, title=None, axis=alt.Axis(labelLimit=150))
    base = alt.Chart().encode(x=axes.even_sparsities(frame, width=_width(frame), title=None), y=y, tooltip=tooltip)
    cell = base.mark_rect(stroke="#8884", strokeWidth=0.5).encode(color=alt.Color("kept:Q", scale=scale, legend=legend))
    dead = base.transform_filter("datum.dead > 0")
    box = dead.mark_rect(fill="#2b0a0a", stroke="#ff6b57", strokeWidth=1)
    cross = dead.mark_text(text="×", color="#ff8f7d", fontSize=15, fontWeight="bold")
    if not frame["guess"].any():
        return [cell, box, cross]
    guess = base.transform_filter("isValid(datum.guess)").mark_text(text=CHANCE, fontSize=18, color=palette.NOTE)
    seen = alt.condition("datum.guess", alt.value(1), alt.value(0))  # in every panel, so that their titles are level
    return [cell, box, cross, guess.encode(y=alt.value(ABOVE_PX), opacity=seen)]


def _kept(layers: pl.DataFrame, trials: pl.DataFrame, look: Look) -> pl.DataFrame:
    """For each panel, layer and sparsity the mean share kept. Sparsity 0 keeps everything and is left out."""
    named = with_roles(trials, look.role).select("arm", "hue", "variant").unique("arm")
    pruned = layers.filter(pl.col("sparsity") > 0).join(named, on="arm", how="inner", maintain_order="left")
    if pruned.is_empty():
        return pruned
    copies = _copies(pruned)
    frame = (
        _in_common(pieces.with_series(pruned), copies)
        .filter(~pl.col("arm").is_in(list(copies)))
        .group_by("arm", "hue", "series", "ablation", "layer", "index", "sparsity", maintain_order=True)
        .agg(
            n=pl.col("n").first(),
            left=pl.col("kept").mean(),
            kept=(pl.col("kept") / pl.col("n")).mean(),
            dead=(pl.col("kept") == 0).sum(),
        )
    )
    ablated = pl.concat_str(["series", "ablation"], separator=", ")
    panel = pl.when(arms.unmodified()).then("series").otherwise(ablated).alias("panel")
    first = pl.col("index") == pl.col("index").min()  # a mark for each column
    guess = pl.when(first).then(pl.col("at_chance").fill_null(value=False))
    marked = frame.join(_at_chance(trials, look, copies), on=["arm", "sparsity"], how="left", maintain_order="left")
    return axes.with_sparsity_text(marked.with_columns(panel, guess=guess))


def _at_chance(trials: pl.DataFrame, look: Look, copies: Mapping[str, str]) -> pl.DataFrame:
    """For each arm that is drawn and sparsity, whether it and the arms with the same masks are at chance."""
    summary = summarise(trials, role=look.role, task=look.task).with_columns(pl.col("arm").replace(copies))
    return summary.group_by("arm", "sparsity", maintain_order=True).agg(pl.col("at_chance").all(ignore_nulls=False))


def _in_common(frame: pl.DataFrame, copies: Mapping[str, str]) -> pl.DataFrame:
    """The frame with masks of several hues named by their criterion, without a hue: no switch hides them."""
    hues = dict(frame.select("arm", "hue").unique("arm").rows())
    common = {first for arm, first in copies.items() if hues[arm] != hues[first]}
    shared, criterion = pl.col("arm").is_in(common), in_words(frame, "criterion")
    return frame.with_columns(
        series=pl.when(shared).then(criterion).otherwise("series"), hue=pl.when(~shared).then("hue")
    )


def _copies(layers: pl.DataFrame) -> dict[str, str]:
    """Arms whose masks keep as many weights in every layer as those of an earlier arm of the same criterion, in all
    trials that both arms have, with that arm.
    """
    seen: dict[str, dict[str, dict[tuple[object, ...], int]]] = {}
    copies: dict[str, str] = {}
    for (arm, criterion), rest in groups(layers, ["arm", "criterion"]):
        counts = {key[:-1]: key[-1] for key in rest.select("sparsity", "seed", "index", "kept").iter_rows()}
        earlier = seen.setdefault(criterion, {})
        first = next((name for name, other in earlier.items() if _agree(counts, other)), None)
        if first is None:
            earlier[arm] = counts
        else:
            copies[arm] = first
    return copies


def _agree(counts: dict[tuple[object, ...], int], others: dict[tuple[object, ...], int]) -> bool:
    shared = counts.keys() & others.keys()
    return bool(shared) and all(counts[key] == others[key] for key in shared)


def compression(trials: pl.DataFrame, look: Look) -> Chart | None:
    """How far the compression reached is from the one asked for, in percent of it; only where some mask is off."""
    error = pl.col("compression_error")
    known = with_roles(trials, look.role).filter(error.is_finite() & error.is_not_null() & (pl.col("sparsity") > 0))
    if known.filter(error.abs() >= HIT).is_empty():
        return None
    by = ["hue", "variant", "ablation", "compression"]
    frame = known.group_by(by, maintain_order=True).agg(
        mean=error.mean(), low=error.min(), high=error.max(), actual=pl.col("compression_actual").mean(), n=pl.len()
    )
    sheet = Sheet()
    zero = alt.Chart(sheet.values([{"zero": 0}])).mark_rule(color=palette.NOTE).encode(y=alt.datum(0))
    named = pieces.with_series(frame)
    data = sheet.rows(named, ["series", *by, "mean", "low", "high", "actual", "n"])
    drawn = alt.layer(*_errors(named, look.among(named)), data=data, transform=ONLY_SHOWN)
    chart = alt.layer(zero, drawn, width=WIDTH, height=HEIGHT)
    return Chart(
        name="compression",
        title="Compression asked for and reached",
        caption="Means over the seeds, lines from the least to the greatest. 0: exactly as asked.",
        spec=spec_of(chart, sheet, look.shown()),
    )


def _errors(frame: pl.DataFrame, look: Look) -> list[alt.Chart]:
    far = max(0.01, *(abs(value) * 1.1 for value in axes.numbers(frame, ("low", "high"))))
    y = alt.Y("mean:Q", title="reached / asked − 1", scale=alt.Scale(domain=[-far, far], nice=False),
              axis=alt.Axis(format=ticks.SHARE, tickCount=6))  # fmt: skip
    base = alt.Chart().encode(x=axes.remaining(frame["compression"].to_list()))
    bar = base.mark_rule().encode(y=axes.along(y, "low:Q"), y2="high:Q", color=look.colour())
    tooltip = [
        alt.Tooltip("series:N", title="arm"), alt.Tooltip("ablation:N"),
        alt.Tooltip("compression:Q", title="asked", format=ticks.NUMBER),
        alt.Tooltip("actual:Q", title="reached", format=ticks.NUMBER),
        alt.Tooltip("mean:Q", title="error", format=ticks.ERROR), alt.Tooltip("n:Q", title="seeds"),
    ]  # fmt: skip
    point = base.mark_point(size=48, filled=True, opacity=0.9).encode(
        y=y, color=look.colour(), shape=look.shape(), tooltip=tooltip
    )
    return [bar, point]
