"""Accuracy against what a network costs to run or to store, as a share of the dense network's cost."""

from __future__ import annotations

import math

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report import arms
from prunectl.report.charts import axes, labels, pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look
from prunectl.report.charts.pieces import FIELDS, HEIGHT, WIDTH
from prunectl.results.aggregate import with_roles

COSTS = {"flops": ("flops", "flops_dense", "FLOPs"), "size": ("size_bytes", "size_bytes_dense", "size on disk")}
"""For each kind of cost: its column, the dense network's, and what it is called."""


def against_cost(trials: pl.DataFrame, look: Look, cost: str) -> Chart | None:
    """Accuracy against a share of the dense network's cost, on a log axis."""
    column, dense, words = COSTS[cost]
    frame = _shares(trials, look, column, dense)
    if frame["share"].n_unique() < 2:
        return None
    look = look.among(frame)
    y = axes.accuracy("top-1 accuracy", axes.numbers(frame))
    named = labels.fit(frame, look)
    tooltip = pieces.tooltip(look, "accuracy", [alt.Tooltip("share:Q", title=words, format=".3~p")])
    layers = pieces.lines(look, _axis(frame["share"].to_list(), words), y, tooltip, legend=not named)
    layers = layers if pieces.bounded(frame) else layers[1:]
    sheet = Sheet()
    drawn = alt.layer(
        *layers, data=sheet.rows(pieces.with_seeds(frame), [*FIELDS, "seed", "share"]), transform=ONLY_SHOWN
    )
    names = labels.end_labels(sheet, frame, "sparsity", look, y) if named else []
    chart = alt.layer(drawn, *names, width=WIDTH, height=HEIGHT)
    return Chart(
        name=f"top1-{cost}",
        title=f"Top-1 accuracy against {words}",
        labels_px=labels.width_px(frame, look),
        names=labels.listed(frame, "sparsity", look) if named else (),
        caption=f"{pieces.spread(frame, look)} What skipping zeros could save; a dense kernel saves nothing.",
        spec=spec_of(chart, sheet, look.shown()),
    )


def _shares(trials: pl.DataFrame, look: Look, column: str, dense: str) -> pl.DataFrame:
    """The means of the unmodified arms with their mean share of the dense network's cost."""
    known = trials.filter(arms.unmodified() & (pl.col(column) > 0) & (pl.col(dense) > 0) & pl.col("top1").is_not_null())
    by = ["hue", "variant", "sparsity"]
    share = with_roles(known, look.role).group_by(by).agg(share=(pl.col(column) / pl.col(dense)).mean())
    return pieces.means(known, look).join(share, on=by, maintain_order="left")


def _axis(shares: list[float], words: str) -> alt.X:
    lowest = min(shares)
    mantissas = (1, 2, 5) if lowest < 0.1 else (1, 2, 3, 4, 5, 6, 8)
    every = sorted((mantissa * 10.0**power for power in range(-5, 1) for mantissa in mantissas), reverse=True)
    ticks = [share for share in every if lowest * 0.95 <= share <= 1]
    return alt.X(
        "share:Q", title=f"{words}, share of the dense network's (log scale)",
        scale=alt.Scale(type="log", reverse=True, domain=[lowest * 0.95, 1.05], nice=False),
        axis=axes.labelled(
            ticks, [[percent(float(f"{share:.6g}"))] for share in ticks],
            lambda share: math.log(share) / (math.log(lowest) or 1.0),
        ),
    )  # fmt: skip
