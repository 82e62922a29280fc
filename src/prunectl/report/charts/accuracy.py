"""Accuracy of the unmodified arms against sparsity and compression, with published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from prunectl.report.charts import axes, collapse, labels, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look
from prunectl.report.charts.marked import Marked
from prunectl.report.charts.pieces import FIELDS, HEIGHT, WIDTH
from prunectl.report.charts.shading import Shading
from prunectl.report.charts.split import needed, split
from prunectl.results.statistics import center
from prunectl.results.table import METRICS

TITLES = {metric.name: metric.title for metric in METRICS}
PANEL_WIDTH, PANEL_PX = 190, 225
DENSE_PX = 92
"""The width of the name of the baseline to the right of the frame."""


def against_sparsity(
    trials: pl.DataFrame, look: Look, published: pl.DataFrame | None = None, matching: Shading | None = None
) -> Chart | None:
    """Accuracy against sparsity, with the dense baseline, published numbers as hollow marks, and what is matching."""
    frame = pieces.means(trials, look)
    if frame.is_empty() or frame["sparsity"].n_unique() < 2:
        return None
    look = look.among(frame)
    x = axes.sparsity(frame["sparsity"].to_list(), width=_frame_px(frame, look))
    marked = _marked(trials, published, "top1", look, x, frame)
    texts = [pieces.spread(frame, look), marked.caption, matching.caption if matching is not None else ""]
    return Chart(
        name="top1-sparsity",
        title="Top-1 accuracy against sparsity",
        caption=_caption(texts, frame, "top1", look),
        **_drawn(frame, trials, look, x, "top1", "sparsity", marked, matching),
    )


def against_compression(
    trials: pl.DataFrame,
    look: Look,
    metric: str = "top1",
    published: pl.DataFrame | None = None,
    matching: Shading | None = None,
) -> Chart | None:
    """Accuracy against compression on a log axis, each tick with the weights remaining."""
    frame = pieces.means(trials, look, metric).filter(pl.col("compression").is_finite())
    if frame.is_empty() or frame["compression"].n_unique() < 2:
        return None
    look = look.among(frame)
    x = axes.remaining(frame["compression"].to_list(), width=_frame_px(frame, look))
    marked = _marked(trials, published, metric, look, x, frame)
    limits = collapse.limits(trials, look)
    texts = [
        pieces.spread(frame, look),
        "Each doubling of the compression is as wide as the last." + collapse.caption(limits, x),
        marked.caption,
        matching.caption if matching is not None else "",
    ]
    return Chart(
        name=f"{metric}-compression",
        title=f"{TITLES[metric].capitalize()} against weights remaining",
        caption=_caption(texts, frame, metric, look),
        **_drawn(frame, trials, look, x, metric, "compression", marked, matching, collapse.within(limits, x)),
    )


def _frame_px(frame: pl.DataFrame, look: Look) -> float:
    """The width of the narrowest frame, for the labels of its ticks."""
    return PANEL_WIDTH if needed(frame, look) else ticks.NARROWEST_PX


def _caption(texts: list[str], frame: pl.DataFrame, metric: str, look: Look) -> str:
    """Sentences, and what the dashed line of panels is, which have no room for its name."""
    dense = _dense(frame, metric, look) if needed(frame, look) else None
    return " ".join(filter(None, [*texts, f"Grey and dashed: {pieces.dense_text(dense)}." if dense else ""]))


def _marked(
    trials: pl.DataFrame, published: pl.DataFrame | None, metric: str, look: Look, x: alt.X, frame: pl.DataFrame
) -> Marked:
    """The published numbers, without marks in panels: a number that leaves a choice open has no panel."""
    marked = Marked.of(trials, published, metric, look, x, axes.numbers(frame))
    return marked.unmarked() if needed(frame, look) else marked


def _dense(frame: pl.DataFrame, metric: str, look: Look) -> float | None:
    baselines = frame.unique("dense")["dense"].drop_nulls().to_list() if metric == "top1" else []
    return center(baselines, look.center) if baselines else None


def _drawn(
    frame: pl.DataFrame,
    trials: pl.DataFrame,
    look: Look,
    x: alt.X,
    metric: str,
    along: str,
    marked: Marked,
    matching: Shading | None,
    limits: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """The specification of the chart, and what goes with it."""
    dense = _dense(frame, metric, look)
    numbers = axes.numbers(frame) + ([] if dense is None else [dense]) + marked.numbers
    y = axes.accuracy(TITLES[metric], numbers)
    under = [] if dense is None else [pieces.dense_rule(dense)]
    sheet = Sheet()
    if needed(frame, look):
        title, x = x["title"], x.copy()
        x["title"] = None  # that of all panels is below them
        band = matching.band(x, along) if matching is not None else []
        chart = _panels(frame, trials, look, x, y, sheet, [*band, *under], title)
        return {"spec": spec_of(chart, sheet, look.shown()), "panel_px": PANEL_PX}
    named = labels.fit(frame, look)
    under = (matching.band(x, along) if matching is not None else []) + under
    layers = pieces.lines(look, x, y, pieces.tooltip(look, TITLES[metric]), legend=not named)
    layers = under + (layers if pieces.bounded(frame) else layers[1:])
    data = sheet.rows(pieces.with_seeds(frame), [*FIELDS, "seed"])
    zoom = alt.selection_interval(
        bind="scales", name=f"zoom_{metric}_{along}", zoom="wheel![event.shiftKey]", clear="dblclick"
    )
    layers[-1] = layers[-1].add_params(zoom)
    over: list[Any] = [alt.layer(*layers, data=data, transform=ONLY_SHOWN)]
    over += [] if limits is None or limits.is_empty() else [collapse.ticks(sheet, limits, x, look, legend=not named)]
    over += marked.layer(sheet, x, y, look, legend=not named)
    over += labels.end_labels(sheet, frame if named else frame.clear(), along, look, y, dense=dense)
    return {
        "spec": spec_of(alt.layer(*over, width=WIDTH, height=HEIGHT), sheet, look.shown()),
        "labels_px": max(labels.width_px(frame, look), DENSE_PX if dense is not None else 0),
        "names": labels.listed(frame if named else frame.clear(), along, look, dense=dense),
    }


def _panels(
    frame: pl.DataFrame,
    trials: pl.DataFrame,
    look: Look,
    x: alt.X,
    y: alt.Y,
    sheet: Sheet,
    under: Sequence[Any],
    title: str,
) -> alt.FacetChart:
    """The lines in panels with shared axes."""
    panels = split(frame, trials, look)
    layers = pieces.lines(panels.look, x, y, pieces.tooltip(look, str(y["title"])), legend=True)
    layers = [*under, *(layers if pieces.bounded(frame) else layers[1:])]
    data = sheet.rows(pieces.with_seeds(panels.frame), [*FIELDS, "seed", "panel"])
    return pieces.faceted(
        layers, data, "panel", panels.order, panels.columns, width=PANEL_WIDTH, height=200, transform=ONLY_SHOWN,
        x_title=title,
    )  # fmt: skip
