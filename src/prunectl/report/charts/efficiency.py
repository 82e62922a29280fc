"""Accuracy against what a network costs to run or to store, as a share of the dense network's cost."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import polars as pl

from prunectl.report import arms
from prunectl.report.charts import axes, guessing, labels, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look
from prunectl.report.charts.pieces import FIELDS, HEIGHT, WIDTH
from prunectl.report.charts.split import Panels, needed, split
from prunectl.results.aggregate import with_roles

PANEL_WIDTH, PANEL_PX = 190, 225
COSTS = {"flops": ("flops", "flops_dense", "FLOPs"), "size": ("size_bytes", "size_bytes_dense", "size on disk")}
"""For each kind of cost: its column, the dense network's, and what it is called."""


def against_cost(trials: pl.DataFrame, look: Look, cost: str) -> Chart | None:
    """Accuracy against a share of the dense network's cost, on a log axis."""
    column, dense, words = COSTS[cost]
    frame = _shares(trials, look, column, dense)
    if frame["share"].n_unique() < 2:
        return None
    look = look.among(frame)
    panels = split(frame, trials.filter(arms.unmodified()), look) if needed(frame, look) else None
    sheet, named = Sheet(), panels is None and labels.fit(frame, look)
    return Chart(
        name=f"top1-{cost}",
        title=f"Top-1 accuracy against {words}",
        labels_px=labels.width_px(frame, look) if named else 0,
        names=labels.listed(frame, "sparsity", look) if named else (),
        caption=f"{pieces.spread(frame, look)} What skipping zeros could save; a dense kernel saves nothing.",
        spec=spec_of(_drawn(frame, look, panels, words, sheet, named=named), sheet, look.shown()),
        panel_px=None if panels is None else PANEL_PX,
    )


def _drawn(frame: pl.DataFrame, look: Look, panels: Panels | None, words: str, sheet: Sheet, *, named: bool) -> Any:
    """The lines in one frame, with their names or a legend, or in panels with shared axes."""
    title = f"{words}, share of the dense network's (log scale)"
    x = _axis(frame["share"].to_list(), None if panels else title, PANEL_WIDTH if panels else ticks.NARROWEST_PX)
    y = axes.accuracy("top-1 accuracy", axes.numbers(frame))
    tooltip = pieces.tooltip(look, "accuracy", [alt.Tooltip("share:Q", title=words, format=ticks.SHARE)])
    layers = pieces.lines(look if panels is None else panels.look, x, y, tooltip, legend=not named)
    layers = [*guessing.rule(y, look), *(layers if pieces.bounded(frame) else layers[1:])]
    columns = [*FIELDS, "seed", "share"]
    if panels is not None:
        data = sheet.rows(pieces.with_seeds(panels.frame), [*columns, "panel"])
        return pieces.faceted(
            layers, data, "panel", panels.order, panels.columns, width=PANEL_WIDTH, height=200,
            transform=ONLY_SHOWN, x_title=title,
        )  # fmt: skip
    lines = alt.layer(*layers, data=sheet.rows(pieces.with_seeds(frame), columns), transform=ONLY_SHOWN)
    names = labels.end_labels(sheet, frame, "sparsity", look, y) if named else []
    return alt.layer(lines, *names, width=WIDTH, height=HEIGHT)


def _shares(trials: pl.DataFrame, look: Look, column: str, dense: str) -> pl.DataFrame:
    """The means of the unmodified arms with their mean share of the dense network's cost."""
    known = trials.filter(arms.unmodified() & (pl.col(column) > 0) & (pl.col(dense) > 0) & pl.col("top1").is_not_null())
    by = ["hue", "variant", "sparsity"]
    share = with_roles(known, look.role).group_by(by).agg(share=(pl.col(column) / pl.col(dense)).mean())
    return pieces.means(known, look).join(share, on=by, maintain_order="left")


def _axis(shares: list[float], title: str | None, width: float) -> alt.X:
    lowest = min(shares)
    mantissas = (1, 2, 5) if lowest < 0.1 else (1, 2, 3, 4, 5, 6, 8)
    every = sorted((mantissa * 10.0**power for power in range(-5, 1) for mantissa in mantissas), reverse=True)
    shown = [share for share in every if lowest * 0.95 <= share <= 1]
    return alt.X(
        "share:Q", title=title,
        scale=alt.Scale(type="log", reverse=True, domain=[lowest * 0.95, 1.05], nice=False),
        axis=ticks.labelled(
            shown, ticks.percentages([float(f"{share:.6g}") for share in shown]),
            lambda share: math.log(share) / (math.log(lowest) or 1.0), width,
        ),
    )  # fmt: skip
