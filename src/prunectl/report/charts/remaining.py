"""Weights remaining over the training, of arms that match the dense network (Frankle et al. 2021, Figure 1)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import altair as alt
import polars as pl

from prunectl.base.text import and_list, plural, points
from prunectl.plan.graph import Placed
from prunectl.report import arms
from prunectl.report.charts import labels, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import SHOWN, Look, dash_legend
from prunectl.report.charts.pieces import HEIGHT, WIDTH
from prunectl.results.aggregate import with_roles
from prunectl.results.matched import of_arms
from prunectl.results.table import Results

TRAINED, RETROACTIVE = "trained", "retroactive"
APART_PX = 2.5
"""The distance at which lines of one sparsity are drawn."""
MOST_NAMED = 6
"""With more lines than this, the chart has a legend: their names would run into one block."""
PALE = 0.5
"""The opacity of what is retroactive."""
NAMED = 4
"""Maximum number of arms without a line that the caption names."""
COLUMNS: dict[str, Any] = {
    "arm": pl.String,
    "sparsity": pl.Float64,  # the highest matching one, of whose networks the line is
    "part": pl.String,
    "step": pl.Int64,
    "kept": pl.Float64,  # a fraction of what the sparsity is a fraction of
}


def over_training(results: Results, look: Look) -> Chart | None:
    """A line for each unmodified arm, at its highest matching sparsity: the share of weights that each step trains."""
    plain = results.trials.filter(arms.unmodified() & pl.col("arm").is_in(list(results.arms)))
    reached = of_arms(plain, results.study.report.matching_margin, results.task)
    matching = {arm: each for arm, each in reached.items() if each.known}
    highest = {arm: each.estimate for arm, each in matching.items() if each.estimate is not None}
    if not highest:
        return None
    frame = _drawn(_named(_frame(results, highest), plain, look))
    sheet, look = Sheet(), look.among(frame)
    last = frame.group_by("hue", "variant", "series", maintain_order=True).agg(
        pl.col("step").last(), center=pl.col("drawn").last().log()
    )
    names = last["series"].to_list()
    height = max(HEIGHT, labels.height_px(names))
    named = last.height <= MOST_NAMED
    chart: Any = _lines(frame, sheet, look, legend=not named).transform_filter(SHOWN)
    if named:
        place = alt.Y(scale=alt.Scale(domain=[math.log(bound) for bound in _domain(frame)]), title=None)
        chart = alt.layer(chart, *labels.end_labels(sheet, last, "step", look, place, height))
    return Chart(
        name="weights-remaining",
        title="Weights remaining over the training",
        caption=_caption(results, [arm for arm in matching if arm not in highest]),
        spec=spec_of(chart.properties(width=WIDTH, height=height if named else HEIGHT), sheet, look.shown()),
        labels_px=labels.names_px(names) if named else 0,
        names=labels.listed(last, "step", look, marked=False) if named else (),
    )


def _frame(results: Results, highest: dict[str, float]) -> pl.DataFrame:
    """The corners of every line, each a step and the share that is kept from it on."""
    rows = [
        {"arm": arm, "sparsity": sparsity, "part": part, "step": step, "kept": kept}
        for arm, sparsity in highest.items()
        for part, step, kept in _course(results, results.arms[arm], sparsity)
    ]
    return pl.DataFrame(rows, schema=COLUMNS)


def _course(results: Results, placed: Placed, sparsity: float) -> Iterator[tuple[str, int, float]]:
    """Part, step and share kept along the training of an arm.

    What is pruned at the end was dense until then. The steps that its pruned network trains are retroactive: which
    weights they train is known only from the dense training that was done before.
    """
    kept, after, at = 1 - sparsity, placed.after, placed.at_step
    if placed.arm.at is None:
        yield from ((TRAINED, step, share) for step, share in _on_the_way(results, placed, sparsity))
        return
    if at:
        yield TRAINED, 0, 1.0
    yield TRAINED, at, kept
    if placed.at_end and after.recipe is not None:
        begin = at if after.weights is None else after.weights
        yield from ((RETROACTIVE, step, kept) for step in (begin, begin + after.steps))
    elif after.recipe is not None:
        yield TRAINED, at + after.steps, kept


def _on_the_way(results: Results, placed: Placed, sparsity: float) -> Iterator[tuple[int, float]]:
    """Of an arm that is pruned during its training: the mean over the seeds after each change of masks."""
    ours = (pl.col("arm") == placed.arm.label) & (pl.col("sparsity") == sparsity)
    trials = results.trials.filter(ours).with_columns(
        total=pl.when(pl.col("sparsity_of") == "all").then("n_params").otherwise("n_prunable")
    )
    share = 1 - (pl.col("n_prunable") - pl.col("kept")) / pl.col("total")
    means = (
        results.remaining.join(trials, on="artefact", how="inner").group_by("step").agg(share=share.mean()).sort("step")
    ).drop_nulls()
    kept = 1.0
    if not means.is_empty() and means["step"][0] > 0:
        yield 0, kept
    for step, kept in means.iter_rows():
        yield step, kept
    if not means.is_empty() and means["step"][-1] < placed.dense_steps:
        yield placed.dense_steps, kept


def _named(frame: pl.DataFrame, trials: pl.DataFrame, look: Look) -> pl.DataFrame:
    """The corners with the hue, the variant and the name of their line."""
    names = with_roles(trials, look.role).select("arm", "hue", "variant").unique("arm", maintain_order=True)
    return pieces.with_series(frame.join(names, on="arm", how="left", maintain_order="left"))


def _drawn(frame: pl.DataFrame) -> pl.DataFrame:
    """Where lines are drawn: those of one sparsity a little below each other, because they would be one line. What is
    dense stays at 100 %.
    """
    low, high = _domain(frame)
    step = (low / high) ** (APART_PX / HEIGHT)
    place = pl.col("arm").rank("dense").over("sparsity") - 1
    return frame.with_columns(drawn=pl.when(pl.col("kept") < 1).then(pl.col("kept") * step**place).otherwise("kept"))


def _domain(frame: pl.DataFrame) -> tuple[float, float]:
    """The ends of the axis of weights remaining, which is logarithmic."""
    low = float(frame.select(pl.col("kept").filter(pl.col("kept") > 0).min()).item() or 1.0)
    return min(low, 0.9) * 0.85, 1.03


def _lines(frame: pl.DataFrame, sheet: Sheet, look: Look, *, legend: bool) -> alt.Chart:
    columns = ["arm", "hue", "variant", "series", "part", "step", "kept", "drawn", "sparsity"]
    shown = sorted({round(value, 6) for value in (1.0, *(1 - frame["sparsity"]))})
    y = alt.Y(
        "drawn:Q", title="weights remaining (log scale)",
        scale=alt.Scale(type="log", domain=list(_domain(frame)), nice=False, clamp=True),
        axis=alt.Axis(values=shown, format=ticks.SHARE, labelOverlap="greedy"),
    )  # fmt: skip
    x = alt.X("step:Q", title="training step", scale=alt.Scale(nice=False),
              axis=alt.Axis(grid=False, tickCount=6, **ticks.whole(frame["step"].to_list())))  # fmt: skip
    parts = [TRAINED, RETROACTIVE]
    pale = alt.Opacity("part:O", sort=parts, scale=alt.Scale(domain=parts, range=[1, PALE]), legend=dash_legend(parts))
    tooltip = [
        alt.Tooltip("arm:N"), alt.Tooltip("part:N"), alt.Tooltip("step:Q", format=ticks.COUNT),
        alt.Tooltip("kept:Q", title="weights remaining", format=ticks.SHARE),
        alt.Tooltip("sparsity:Q", title="highest matching sparsity", format=ticks.SHARE),
    ]  # fmt: skip
    mark: alt.Chart = alt.Chart(sheet.rows(frame, columns)).mark_line(interpolate="step-after", strokeWidth=2)
    return mark.encode(x=x, y=y, color=look.colour(legend), detail="arm:N", opacity=pale, tooltip=tooltip,
                       **look.dash(legend))  # fmt: skip


def _caption(results: Results, without: list[str]) -> str:
    margin = points(results.study.report.matching_margin)
    text = (
        "Each unmodified arm at the highest sparsity at which, and at every lower one, its mean accuracy lies at most "
        f"{margin} below the dense network. Pale: retroactive, after a dense training that was done in full. "
        "Lines of one sparsity are drawn slightly apart."
    )
    if not without:
        return text
    names = without[:NAMED] + ([plural(len(without) - NAMED, "more arm")] if len(without) > NAMED else [])
    return f"{text} No line, because they match at no sparsity: {and_list(names)}."
