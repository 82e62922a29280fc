"""Accuracy against the time that retraining takes: the third axis, with accuracy and sparsity (Renda et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import replace

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report import arms
from prunectl.report.charts import axes, cut, guessing, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import SHOWN, Look
from prunectl.results.aggregate import summarise, with_roles
from prunectl.results.table import Results

WIDTH, HEIGHT = 220, 185
LOG_FROM = 10.0
"""With the longest time more than this many times the shortest, the axis is logarithmic."""


def against_budget(results: Results, look: Look) -> Chart | None:
    """A line per kind of retraining, a panel per sparsity; only where a line has more than one budget."""
    frame = _frame(results, look)
    if frame.is_empty() or frame.group_by("line", "variant").agg(pl.col("share").n_unique())["share"].max() == 1:
        return None
    known = sorted(frame["sparsity"].unique().to_list())
    sparsities = pieces.spread_out(known)
    shown, names = _panelled(frame.filter(pl.col("sparsity").is_in(sparsities)), look)
    shown = guessing.with_chance(shown, look)
    sheet = Sheet()
    fields = ["panel", "line", *pieces.FIELDS, "seed", "ablation", "share", "chance", "reach"]
    data = sheet.rows(pieces.with_seeds(shown), fields)
    layers = _layers(shown, look)
    chart = pieces.faceted(
        layers, data, "panel", names, max(4, len(sparsities)) if len(names) > len(sparsities) else 4, width=WIDTH,
        height=HEIGHT, x_title=_title(_logarithmic(shown["share"].to_list())), own_y=True,
    )  # fmt: skip
    return Chart(
        name="top1-budget",
        title="Top-1 accuracy against retraining time",
        caption=_caption(results, pieces.spread(frame, look)) + cut.panels(sparsities, known),
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=WIDTH + 75,
    )


def _panelled(frame: pl.DataFrame, look: Look) -> tuple[pl.DataFrame, list[str]]:
    """The frame with its panels, and their order: one for each sparsity, or a row of these for each criterion where
    retrainings have the colours.
    """
    crossed = "criterion" in look.role.variant
    named = pl.col("sparsity").map_elements(lambda sparsity: f"{percent(sparsity)} sparsity", return_dtype=pl.String)
    if crossed:
        named = pl.when(pl.col("variant") == "").then(named).otherwise(pl.format("{} · {}", "variant", named))
    panelled = frame.with_columns(panel=named)
    rows = ["variant", "sparsity"] if crossed else ["sparsity"]
    order = panelled.sort(rows, maintain_order=True)["panel"].unique(maintain_order=True).to_list()
    return (panelled.with_columns(variant=pl.lit("")) if crossed else panelled), order


def _frame(results: Results, look: Look) -> pl.DataFrame:
    """The retrained unmodified arms. `line` has a colour: the hue, or the kind of retraining where hues are
    retrainings or budgets; `hue` stays what the page's switches show and hide.
    """
    shares, names = arms.shares(results), arms.lengthless(results)
    hue = "retrain" if look.role.hue == "budget" else look.role.hue
    role = replace(look.role, hue=hue, names={}, variant=tuple(name for name in look.role.variant if name != "budget"))
    known = results.trials.filter(arms.unmodified() & (pl.col("sparsity") > 0) & pl.col("arm").is_in(list(shares)))
    share = pl.col("arm").replace_strict(shares, return_dtype=pl.Float64).alias("share")
    hues = with_roles(known, look.role).select("arm", "hue", share).unique("arm", maintain_order=True)
    kinds = known.with_columns(retrain=pl.col("arm").replace_strict(names, return_dtype=pl.String))
    averages = summarise(kinds, "top1", role, look.center).rename({"hue": "line"})
    joined = averages.join(hues, on="arm", maintain_order="left")
    series = pl.concat_str("line", pl.when(pl.col("variant") != "").then("variant"), separator=", ", ignore_nulls=True)
    return joined.with_columns(series=series).sort("line", "variant", "sparsity", "share", maintain_order=True)


def _layers(frame: pl.DataFrame, look: Look) -> list[alt.Chart]:
    spans = [max(numbers) - min(numbers) for part in frame.partition_by("panel") if (numbers := axes.numbers(part))]
    y = axes.own_accuracy("top-1 accuracy", spans)
    drawn = _look_of_lines(frame, look)
    colour = drawn.colour(field="line")
    every = alt.Chart().transform_filter(SHOWN).encode(x=_axis(frame["share"].to_list()), detail="variant:N")
    base = every.transform_filter(pieces.SUMMARY)
    tooltip = pieces.tooltip(
        look, "accuracy", [alt.Tooltip("share:Q", title="retraining, of the recipe", format=ticks.SHARE)]
    )
    band = base.mark_area(opacity=0.14).encode(y=axes.along(y, "low:Q"), y2="high:Q", color=colour)
    return [
        *guessing.own_rule(y, frame),
        *([band] if pieces.bounded(frame) else []),
        base.mark_line(strokeWidth=2).encode(y=y, color=colour, **drawn.dash()),
        pieces.seeds(every, y, colour),
        base.mark_point(size=48, filled=True, opacity=1).encode(
            y=y, color=colour, shape=drawn.shape(field="line"), tooltip=tooltip
        ),
    ]


def _look_of_lines(frame: pl.DataFrame, look: Look) -> Look:
    """The look whose hues are the lines of this chart, each in the colour that it, or its first hue, has on others."""
    lines, variants = (sorted(frame[name].unique()) for name in ("line", "variant"))
    drawn = Look.of(replace(look.role, hues=tuple(lines)), variants)
    if look.role.hue == "budget":
        return drawn
    first = dict(frame.unique("line", keep="first", maintain_order=True).select("line", "hue").rows())
    hues = {line: line if line in look.colours else first[line] for line in lines}
    colours, shapes = ({line: of[hues[line]] for line in lines} for of in (look.colours, look.shapes))
    return replace(drawn, colours=colours, shapes=shapes)


def _axis(shares: list[float]) -> alt.X:
    least, most = min(shares), max(shares)
    log = _logarithmic(shares)
    scale = (
        alt.Scale(type="log", domain=[least / 1.1, most * 1.1], nice=False)
        if log
        else alt.Scale(domain=[0, most * 1.05], nice=False)
    )
    every = [digit * 10.0**power for power in range(-4, 2) for digit in (1, 2, 5)]
    unique = sorted(set(shares))
    shown = unique if len(unique) <= 8 else [value for value in every if least <= value <= most]
    place = (lambda share: math.log(share / least) / math.log(most / least)) if log else (lambda share: share / most)
    return alt.X(
        "share:Q", title=None, scale=scale, axis=ticks.labelled(shown, ticks.percentages(shown), place),
    )  # fmt: skip


def _logarithmic(shares: list[float]) -> bool:
    return max(shares) > LOG_FROM * min(shares) > 0


def _title(log: bool) -> str:
    return f"retraining time, share of the recipe{' (log scale)' if log else ''}"


def _caption(results: Results, spread: str) -> str:
    train = results.study.train
    length = f"{train.epochs:,} epochs" if train.epochs is not None else f"{train.steps:,} steps"
    in_rounds = arms.retrained_between_rounds(results)
    of = "; for arms pruned in rounds, of the retraining after each round" if in_rounds else ""
    return f"{spread} The time is a share of the recipe in [train], {length}{of}. Each panel has its own scale."
