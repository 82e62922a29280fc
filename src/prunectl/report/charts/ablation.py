"""What shuffling, reinitializing and inverting change: as differences paired by seed, and as the papers draw it."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.report import palette
from prunectl.report.charts import axes, pieces
from prunectl.report.charts import differences as paired
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look
from prunectl.results import ablations
from prunectl.results.aggregate import ablation_differences, ablation_pairs, summarise
from prunectl.results.statistics import FEWEST


def differences(trials: pl.DataFrame, look: Look) -> Chart | None:
    """Ablated − unmodified in percentage points, a panel per ablation: every seed, the mean, its t-interval."""
    means = ablation_differences(trials, look.role)
    if means.is_empty():
        return None
    pairs = ablation_pairs(trials, look.role)
    frame = _points(means, pairs)
    ticks, lines = frame["sparsity"].n_unique(), frame["series"].n_unique()
    width = min(520, max(270, ticks * (10 * lines + 8)))
    arm = (alt.Tooltip("series:N", title="arm"), alt.Tooltip("ablation:N"))
    layers = paired.layers(
        frame, look.among(means), "difference in top-1, points", "series", paired.tooltip(*arm), size=52
    )
    sheet = Sheet()
    columns = [
        "hue", "variant", "series", "ablation", "sparsity", *paired.POINTS, "n", "from", "to", "at_sparsity", "panel",
    ]  # fmt: skip
    chart = pieces.faceted(
        layers,
        sheet.rows(frame, columns),
        "panel",
        list(_panels(frame).values()),
        3,
        width=width,
        height=230,
        own_y=True,
    )
    return Chart(
        name="ablation-differences",
        title="What the ablations change",
        caption=_caption(pairs["seed"].n_unique()),
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=width + 75,
    )


def _panels(frame: pl.DataFrame) -> dict[str, str]:
    """The title of the panel of each ablation, in the order of the catalogue."""
    return {cell: f"{ablations.verb(cell)} − unmodified" for cell in ablations.ordered(frame["ablation"])}


def _points(means: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    columns = ["hue", "variant", "series", "ablation", "sparsity", "panel"]
    averages, seeds = (pieces.with_series(frame) for frame in (means, pairs))
    titles = pl.col("ablation").replace_strict(_panels(averages)).alias("panel")
    averages, seeds = (frame.with_columns(titles) for frame in (averages, seeds))
    averages = averages.select(*columns, "mean", "low", "high", "n", difference=pl.lit(None, pl.Float64))
    return paired.points(averages, seeds.select(*columns, "difference"), "panel")


def _caption(seeds: int) -> str:
    of = "Ablated minus unmodified network of the same arm, sparsity and seed."
    if seeds < FEWEST:
        return f"{of} {'One seed' if seeds == 1 else 'Two seeds'}: nothing is settled."
    return f"{of} Small dots are seeds, large marks their mean, {paired.CAPTION} Each panel has its own scale."


def by_arm(trials: pl.DataFrame, look: Look) -> Chart | None:
    """Accuracy against sparsity, a panel per arm with a line per ablation (Frankle et al. 2021, figures 4 to 6)."""
    every = pieces.with_series(summarise(trials, "top1", look.role, look.center))
    ablated = every.filter(pl.col("ablation") != "none")["series"].unique()
    frame = every.filter(pl.col("series").is_in(ablated.to_list()))
    if frame.is_empty() or frame["sparsity"].n_unique() < 2:
        return None
    y = axes.accuracy("top-1 accuracy", axes.numbers(frame))
    both = alt.Chart().encode(x=axes.sparsity(frame["sparsity"].to_list()), y=y, color=look.among(frame).colour(False))
    base = both.transform_filter(pieces.SUMMARY)
    band = base.mark_area(opacity=0.1, clip=True).encode(y=axes.along(y, "low:Q"), y2="high:Q", detail="ablation:N")
    seeds = pieces.seeds(both, y, look.among(frame).colour(False))
    dash, shape = _marks(frame)
    line = base.mark_line(strokeWidth=1.8).encode(strokeDash=dash)
    point = base.mark_point(size=42, filled=True, opacity=1).encode(
        shape=shape, tooltip=pieces.tooltip(look, "accuracy")
    )
    order = frame["series"].unique(maintain_order=True).to_list()
    sheet = Sheet()
    data = sheet.rows(pieces.with_seeds(frame), [*pieces.FIELDS, "seed", "ablation"])
    layers = [band, line, seeds, point]
    chart = pieces.faceted(
        layers, data, "series", order, min(4, len(order)), width=215, height=200, transform=ONLY_SHOWN
    )
    return Chart(
        name="ablations",
        title="Ablations arm by arm",
        caption=pieces.spread(frame, look),
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=290,
    )


def _marks(frame: pl.DataFrame) -> tuple[alt.StrokeDash, alt.Shape]:
    """A dash and a shape for each ablation; the unmodified line is solid."""
    domain = ablations.ordered(["none", *frame["ablation"]])
    legend = alt.Legend(title=None, symbolSize=70, symbolFillColor=palette.NOTE, symbolStrokeColor=palette.NOTE,
                        labelExpr="datum.label === 'none' ? 'unmodified' : datum.label")  # fmt: skip
    dashes = alt.Scale(domain=domain, range=palette.dashes(domain))
    shapes = alt.Scale(domain=domain, range=palette.shapes(domain))
    return (
        alt.StrokeDash("ablation:N", scale=dashes, legend=legend),
        alt.Shape("ablation:N", scale=shapes, legend=legend),
    )
