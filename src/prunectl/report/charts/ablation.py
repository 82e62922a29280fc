"""What shuffling, reinitializing and inverting do: as differences paired by seed, and as the papers draw it."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report import palette
from prunectl.report.charts import pieces
from prunectl.report.charts.accuracy import FIELDS, spread
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.pieces import SHOWN, Look
from prunectl.results import ablations
from prunectl.results.aggregate import ablation_differences, ablation_pairs, summarise


def differences(trials: pl.DataFrame, look: Look) -> Chart | None:
    """Ablated − unmodified in percentage points, a panel per ablation: every seed, the mean, its t-interval."""
    frame = ablation_differences(trials, look.role)
    if frame.is_empty():
        return None
    look = look.among(frame)
    pairs = ablation_pairs(trials, look.role)
    names = pieces.with_series(frame)["series"].unique(maintain_order=True).to_list()
    ticks = [percent(value) for value in sorted(frame["sparsity"].unique())]
    width = min(520, max(270, len(ticks) * (10 * len(names) + 8)))
    x = alt.X("at_sparsity:N", sort=ticks, title="sparsity", axis=alt.Axis(labelAngle=0, labelOverlap=True))
    offset = alt.XOffset("series:N", sort=names, scale=alt.Scale(domain=names, paddingOuter=0.4))
    y = alt.Y(
        "mean:Q", title="difference in top-1, points", scale=alt.Scale(nice=False, zero=True, padding=8),
        axis=alt.Axis(labelBound=True, tickCount=6),
    )  # fmt: skip
    base = alt.Chart().transform_filter(SHOWN).encode(x=x, xOffset=offset)
    rule = base.mark_rule(strokeWidth=2, clip=True, opacity=0.75).encode(
        y=alt.Y("from:Q", scale=y["scale"], title=y["title"]), y2="to:Q", color=look.colour(), **look.dash()
    )
    seed = base.mark_point(size=14, filled=True, opacity=0.55).encode(y="difference:Q", color=look.colour())
    point = base.mark_point(size=52, filled=True, opacity=1, clip=True).encode(
        y=y, color=look.colour(), shape=look.shape(), tooltip=_told()
    )
    zero = alt.Chart().mark_rule(color=palette.NOTE, strokeWidth=1).encode(y=alt.datum(0))
    panel = alt.layer(zero, rule, seed, point).properties(width=width, height=230)
    facet = alt.Facet("panel:N", title=None, sort=list(_panels(frame).values()))
    sheet = Sheet()
    chart = pieces.own_axes(panel.facet(facet, data=_data(sheet, frame, pairs), columns=3)).resolve_scale(
        y="independent"
    )
    return Chart(
        name="ablation-differences",
        title="What the ablations change",
        caption=(
            "Ablated minus unmodified network of the same arm, sparsity and seed. Small dots are seeds, large marks "
            "their mean, lines the 95 % t-interval of the mean difference, cut where it goes far beyond the seeds. "
            "An interval that holds 0 settles nothing. Each panel has a scale of its own."
            if pairs["seed"].n_unique() > 1
            else "Ablated minus unmodified network of the same arm, sparsity and seed. One seed: nothing is settled."
        ),
        spec=spec_of(chart.add_params(look.shown()), sheet),
        panel_px=width + 75,
    )


def _data(sheet: Sheet, frame: pl.DataFrame, pairs: pl.DataFrame) -> alt.NamedData:
    """Means with their intervals, and the single differences below them, in one frame in points."""
    columns = ["hue", "variant", "series", "ablation", "sparsity", "mean", "low", "high", "n", "difference"]
    means = pieces.with_series(frame).with_columns(difference=pl.lit(None, pl.Float64))
    empty = [pl.lit(None, pl.Float64).alias(name) for name in ("mean", "low", "high")]
    seeds = pieces.with_series(pairs).with_columns(*empty, n=pl.lit(None, pl.Int64))
    both = pl.concat([means.select(columns), seeds.select(columns)])
    hundred = [pl.col(name) * 100 for name in ("mean", "low", "high", "difference")]
    places = both["sparsity"].map_elements(percent, return_dtype=pl.String).alias("at_sparsity")
    names = pl.col("ablation").replace_strict(_panels(frame)).alias("panel")
    return sheet.rows(
        _cut(both.with_columns(*hundred, places, names)), [*columns, "from", "to", "at_sparsity", "panel"]
    )


def _panels(frame: pl.DataFrame) -> dict[str, str]:
    """What the panel of each ablation is called, in the order of the catalogue."""
    return {cell: f"{ablations.verb(cell)} − unmodified" for cell in ablations.ordered(frame["ablation"])}


def _cut(frame: pl.DataFrame) -> pl.DataFrame:
    """`from` and `to`: the interval as drawn, no further than half the range of a panel's seeds beyond them.

    Without an interval both are the mean: a panel of nothing has no scale.
    """
    least = pl.min_horizontal(pl.col("difference").min().over("panel"), 0.0)
    most = pl.max_horizontal(pl.col("difference").max().over("panel"), 0.0)
    room, bounded = pl.max_horizontal((most - least) / 2, 0.1), pl.col("low").is_not_null()
    return frame.with_columns(
        pl.max_horizontal("low", pl.when(bounded).then(least - room).otherwise("mean")).alias("from"),
        pl.min_horizontal("high", pl.when(bounded).then(most + room).otherwise("mean")).alias("to"),
    )


def _told() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("series:N", title="arm"),
        alt.Tooltip("ablation:N"),
        alt.Tooltip("at_sparsity:N", title="sparsity"),
        alt.Tooltip("mean:Q", title="mean difference, points", format="+.2f"),
        alt.Tooltip("low:Q", title="95 % t-interval from", format="+.2f"),
        alt.Tooltip("high:Q", title="to", format="+.2f"),
        alt.Tooltip("n:Q", title="seeds"),
    ]


def by_arm(trials: pl.DataFrame, look: Look) -> Chart | None:
    """Accuracy against sparsity, a panel per arm with a line per ablation (Frankle et al. 2021, figures 4 to 6)."""
    every = pieces.with_series(summarise(trials, "top1", look.role, look.center))
    ablated = every.filter(pl.col("ablation") != "none")["series"].unique()
    frame = every.filter(pl.col("series").is_in(ablated.to_list()))
    if frame.is_empty() or frame["sparsity"].n_unique() < 2:
        return None
    look = look.among(frame)
    numbers = [value for name in ("center", "low", "high") for value in frame[name].drop_nulls()]
    y = pieces.accuracy("top-1 accuracy", min(numbers), max(numbers))
    domain = ablations.ordered(["none", *frame["ablation"]])
    legend = alt.Legend(title=None, symbolSize=70, symbolFillColor=palette.NOTE, symbolStrokeColor=palette.NOTE,
                        labelExpr="datum.label === 'none' ? 'unmodified' : datum.label")  # fmt: skip
    dash = alt.StrokeDash("ablation:N", scale=alt.Scale(domain=domain, range=palette.dashes(domain)), legend=legend)
    shape = alt.Shape("ablation:N", scale=alt.Scale(domain=domain, range=palette.shapes(domain)), legend=legend)
    base = alt.Chart().encode(x=pieces.sparsity_axis(frame["sparsity"].to_list()), y=y, color=look.colour(False))
    band = base.mark_area(opacity=0.1, clip=True).encode(
        y=alt.Y("low:Q", scale=y["scale"], title=y["title"]), y2="high:Q", detail="ablation:N"
    )
    line = base.mark_line(strokeWidth=1.8).encode(strokeDash=dash)
    point = base.mark_point(size=42, filled=True, opacity=1).encode(shape=shape, tooltip=pieces.told(look, "accuracy"))
    order = frame["series"].unique(maintain_order=True).to_list()
    panel = alt.layer(band, line, point).properties(width=215, height=200)
    sheet = Sheet()
    data = sheet.rows(frame, [*FIELDS, "ablation"])
    chart = pieces.own_axes(
        panel.facet(alt.Facet("series:N", title=None, sort=order), data=data, columns=min(4, len(order)))
    )
    return Chart(
        name="ablations",
        title="Ablations arm by arm",
        caption=spread(frame, look),
        spec=spec_of(chart.transform_filter(SHOWN).add_params(look.shown()), sheet),
        panel_px=290,
    )
