"""What retraining recovers: accuracy just after pruning and after retraining."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from prunectl.report import arms, palette
from prunectl.report.charts import axes, guessing, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import SHOWN, Look
from prunectl.report.charts.pieces import FIELDS, HEIGHT, WIDTH
from prunectl.report.charts.split import Panels, needed, split
from prunectl.study.arms import CHOICES

BEFORE, AFTER = "just after pruning", "after retraining"
PHASES = {"top1_before_retrain": BEFORE, "top1": AFTER}
PANEL_WIDTH, PANEL_HEIGHT, PANEL_PX = 190, 200, 225


def before_and_after(trials: pl.DataFrame, look: Look) -> Chart | None:
    """Two lines per arm against sparsity: just after pruning (hollow marks) and after retraining (filled).

    Arms that differ only in their retraining are one network just after pruning, and have one grey line for it. Many
    budgets are a panel each, as in the charts of accuracy.
    """
    known = trials.filter(arms.unmodified() & pl.all_horizontal(pl.col(name).is_not_null() for name in PHASES))
    if known.is_empty():
        return None
    frame = pl.concat(
        pieces.means(known, look, metric).with_columns(phase=pl.lit(phase)) for metric, phase in PHASES.items()
    )
    look = look.among(frame)
    panels = split(frame, known, look) if needed(frame, look) else None
    if panels is not None:
        frame, look = panels.frame, panels.look
    frame = _with_one_line(frame, known, look)
    sheet = Sheet()
    return Chart(
        name="retraining",
        title="What retraining recovers",
        caption=f"Hollow: measured {BEFORE}{_grey(frame)}. Filled: {AFTER}. "
        f"{look.center.capitalize()}s over the seeds.",
        spec=spec_of(_drawn(frame, look, panels, sheet), sheet, look.shown()),
        panel_px=None if panels is None else PANEL_PX,
    )


def _drawn(frame: pl.DataFrame, look: Look, panels: Panels | None, sheet: Sheet) -> Any:
    """The lines in one frame, or in panels with shared axes."""
    columns = [*FIELDS, "phase", "one"]
    if panels is None:
        drawn: Any = alt.layer(*_layers(frame, look), data=sheet.rows(frame, columns), width=WIDTH, height=HEIGHT)
        return drawn
    return pieces.faceted(
        _layers(frame, look, title=None), sheet.rows(frame, [*columns, "panel"]), "panel", panels.order,
        panels.columns, width=PANEL_WIDTH, height=PANEL_HEIGHT, x_title=axes.SPARSITY,
    )  # fmt: skip


def _with_one_line(frame: pl.DataFrame, known: pl.DataFrame, look: Look) -> pl.DataFrame:
    """The rows with a column `one`: whether they are the line that all arms have in common, which each panel has."""
    frame = frame.with_columns(one=pl.lit(False))
    before = known.group_by("sparsity", "seed").agg(pl.col("top1_before_retrain").n_unique(), arms=pl.len())
    if before["top1_before_retrain"].max() != 1 or before["arms"].max() == 1:
        return frame
    networks = known.unique(["sparsity", "seed"], keep="first", maintain_order=True)
    first = known.row(0, named=True)
    networks = networks.with_columns(
        pl.lit(first[name], known.schema[name]).alias(name)
        for name in ("arm", *CHOICES)  # one arm of all of them
    )
    line = pieces.means(networks, look, "top1_before_retrain").with_columns(
        one=pl.lit(True), phase=pl.lit(BEFORE), series=pl.lit("every arm"), variant=pl.lit(frame["variant"][0])
    )
    if "panel" in frame.columns:
        line = line.join(frame.select("panel").unique(maintain_order=True), how="cross")
    return pl.concat([line, frame.filter(pl.col("phase") == AFTER)], how="diagonal")


def _grey(frame: pl.DataFrame) -> str:
    return " (grey: the same network for every retraining)" if frame["one"].any() else ""


def _layers(frame: pl.DataFrame, look: Look, title: str | None = axes.SPARSITY) -> list[alt.Chart]:
    y = axes.accuracy("top-1 accuracy", axes.numbers(frame))
    dash, opacity = _marks()
    tooltip = [alt.Tooltip("phase:N"), *pieces.tooltip(look, "accuracy")]
    every = alt.Chart().encode(
        x=axes.sparsity(frame["sparsity"].to_list(), title, ticks.NARROWEST_PX if title else PANEL_WIDTH), y=y
    )
    own = every.transform_filter(f"!datum.one && {SHOWN}").encode(color=look.colour(), detail=["variant:N"])
    layers = [
        *guessing.rule(y, look),
        own.mark_line(strokeWidth=1.8).encode(strokeDash=dash),
        own.mark_point(size=50, filled=False, opacity=1).encode(
            shape=look.shape(), fill=look.fill(), fillOpacity=opacity, tooltip=tooltip
        ),
    ]
    if not frame["one"].any():
        return layers
    one = every.transform_filter("datum.one")
    return [
        one.mark_line(strokeWidth=1.8, color=palette.NOTE).encode(strokeDash=dash),
        one.mark_point(size=40, filled=False, color=palette.NOTE).encode(tooltip=tooltip),
        *layers,
    ]


def _marks() -> tuple[alt.StrokeDash, alt.FillOpacity]:
    """A dash and a filling for each phase."""
    names = list(PHASES.values())
    legend = alt.Legend(title=None, symbolSize=220, symbolStrokeWidth=1.5)
    dashes = alt.Scale(domain=names, range=[[2, 3], [1, 0]])
    filling = alt.Scale(domain=names, range=[0, 1])
    return (
        alt.StrokeDash("phase:N", sort=names, scale=dashes, legend=legend),
        alt.FillOpacity("phase:O", sort=names, scale=filling, legend=None),
    )
