"""What shuffling, reinitializing and inverting change: as differences paired by seed, and as the papers draw it."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.report import palette
from prunectl.report.charts import axes, guessing, pieces
from prunectl.report.charts import differences as paired
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look
from prunectl.results import ablations
from prunectl.results.aggregate import ablation_differences, ablation_pairs, summarise
from prunectl.results.statistics import FEWEST

CUT = " Lines that leave a panel below fall further than it shows."


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
        "hue", "variant", "series", "ablation", "sparsity", *paired.POINTS, "n", *paired.DRAWN, "at_sparsity", "panel",
    ]  # fmt: skip
    chart = pieces.faceted(
        layers,
        sheet.rows(frame, columns),
        "panel",
        list(_panels(frame).values()),
        3,
        width=width,
        height=230,
        x_title="sparsity",
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
    """Accuracy at each sparsity, a panel per arm with a line per ablation (Frankle et al. 2021, figures 4 to 6).

    All of an arm is in its colour: the unmodified network as a wide line, the ablations as thin ones with hollow marks
    of different shapes, next to each other, so that no line or mark hides another.
    """
    every = pieces.with_series(summarise(trials, "top1", look.role, look.center))
    ablated = every.filter(pl.col("ablation") != "none")["series"].unique()
    lines = pl.col("sparsity").n_unique().over("series") > 1  # a single sparsity would leave its panel nearly empty
    frame = axes.with_sparsity_text(every.filter(pl.col("series").is_in(ablated.to_list())).filter(lines))
    if frame.is_empty():
        return None
    order = frame["series"].unique(maintain_order=True).to_list()
    shown = _within(frame)
    sheet = Sheet()
    data = sheet.rows(frame.sort("sparsity", maintain_order=True), [*pieces.FIELDS, "ablation", "at_sparsity"])
    width = min(420, max(230, 14 * frame["ablation"].n_unique() * frame["sparsity"].n_unique()))
    chart = pieces.faceted(
        _lines_of(frame, look.among(frame), shown, width), data, "series", order, 4, width=width, height=200,
        x_title="sparsity", transform=ONLY_SHOWN,
    )  # fmt: skip
    return Chart(
        name="ablations",
        title="Ablations arm by arm",
        caption=f"{look.center.capitalize()}s over the seeds: the unmodified network filled on a wide line, ablated "
        "ones hollow, next to each other. Sparsities are evenly spaced; what the ablations change, with its interval, "
        f"is in the chart above.{CUT if min(shown) > min(axes.numbers(frame, ['center'])) else ''}",
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=width + 48,
    )


def _within(frame: pl.DataFrame) -> list[float]:
    """The accuracies that the axis has room for: not those of ablations that fall far below all unmodified networks,
    which would flatten every panel.
    """
    plain = axes.numbers(frame.filter(pl.col("ablation") == "none"), ["center"])
    every = axes.numbers(frame, ["center"]) if not plain else [*plain, *axes.numbers(frame, ["center"])]
    least = min(plain, default=min(every)) - max(max(every) - min(plain, default=min(every)), 0.01)
    return [value for value in every if value >= least] or every


def _lines_of(frame: pl.DataFrame, look: Look, shown: list[float], width: float) -> list[alt.Chart]:
    domain = ablations.ordered(["none", *frame["ablation"]])
    y = axes.accuracy("top-1 accuracy", shown)
    x = axes.even_sparsities(frame, width=width, marks=len(domain), title=None)
    base = alt.Chart().encode(
        x=x, xOffset=axes.next_to_each_other("ablation", domain), y=y, color=look.colour(False), detail="ablation:N"
    )
    plain, ablated = "datum.ablation === 'none'", "datum.ablation !== 'none'"
    shapes = alt.Scale(domain=domain, range=palette.shapes(domain))
    legend = alt.Legend(title=None, symbolSize=70, symbolFillColor="transparent", symbolStrokeColor=palette.NOTE,
                        labelExpr="datum.label === 'none' ? 'unmodified (filled)' : datum.label")  # fmt: skip
    shape, tooltip = alt.Shape("ablation:N", scale=shapes, legend=legend), pieces.tooltip(look, "accuracy")
    return [
        *guessing.rule(y, look),
        base.transform_filter(ablated).mark_line(strokeWidth=1, opacity=0.55, clip=True),
        base.transform_filter(plain).mark_line(strokeWidth=2.4),
        base.transform_filter(plain).mark_point(size=46, filled=True, opacity=1).encode(shape=shape, tooltip=tooltip),
        base.transform_filter(ablated)
        .mark_point(size=42, filled=False, strokeWidth=1.6, opacity=1, clip=True)
        .encode(shape=shape, tooltip=tooltip),
    ]
