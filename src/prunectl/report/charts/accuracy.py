"""Accuracy of the unmodified arms against sparsity and compression, with published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from prunectl.report.charts import axes, collapse, guessing, labels, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look
from prunectl.report.charts.marked import Marked
from prunectl.report.charts.pieces import FIELDS, HEIGHT, WIDTH
from prunectl.report.charts.shading import Shading
from prunectl.report.charts.split import Panels, needed, split
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
    panels = _panels(frame, trials, look)
    x = axes.sparsity(frame["sparsity"].to_list(), width=_frame_px(panels))
    marked = Marked.of(trials, published, "top1", look, x, axes.numbers(frame), panels)
    texts = [pieces.spread(frame, look), marked.caption, matching.caption if matching is not None else ""]
    return Chart(
        name="top1-sparsity",
        title="Top-1 accuracy against sparsity",
        caption=_caption(texts, panels, "top1", look),
        secondary=panels is not None and _compressions(frame).n_unique() > 1,
        **_drawn(frame, panels, look, x, "top1", "sparsity", marked, matching),
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
    if _compressions(frame).n_unique() < 2:
        return None
    look = look.among(frame)
    panels = _panels(frame, trials, look)
    x = axes.remaining(frame["compression"].to_list(), width=_frame_px(panels))
    marked = Marked.of(trials, published, metric, look, x, axes.numbers(frame), panels)
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
        caption=_caption(texts, panels, metric, look),
        **_drawn(frame, panels, look, x, metric, "compression", marked, matching, collapse.within(limits, x)),
    )


def _compressions(frame: pl.DataFrame) -> pl.Series:
    """Those that an axis can have."""
    return frame["compression"].filter(frame["compression"].is_finite())


def _panels(frame: pl.DataFrame, trials: pl.DataFrame, look: Look) -> Panels | None:
    """The panels of the lines; None where one frame has room for all of them."""
    return split(frame, trials, look) if needed(frame, look) else None


def _frame_px(panels: Panels | None) -> float:
    """The width of the narrowest frame, for the labels of its ticks."""
    return ticks.NARROWEST_PX if panels is None else PANEL_WIDTH


def _caption(texts: list[str], panels: Panels | None, metric: str, look: Look) -> str:
    """Sentences, and what the dashed line of panels is, which have no room for its name."""
    dense = None if panels is None else dense_of(panels.frame, metric, look)
    return " ".join(filter(None, [*texts, f"Grey and dashed: {pieces.dense_text(dense)}." if dense else ""]))


def dense_of(frame: pl.DataFrame, metric: str, look: Look) -> float | None:
    """The accuracy of the dense networks of a summary; None where it has none, or is of another metric than top-1."""
    baselines = frame.unique("dense")["dense"].drop_nulls().to_list() if metric == "top1" else []
    return center(baselines, look.center) if baselines else None


def _drawn(
    frame: pl.DataFrame,
    panels: Panels | None,
    look: Look,
    x: alt.X,
    metric: str,
    along: str,
    marked: Marked,
    matching: Shading | None,
    limits: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """The specification of the chart, and what goes with it."""
    dense = dense_of(frame, metric, look)
    numbers = axes.numbers(frame) + ([] if dense is None else [dense]) + marked.numbers
    y = axes.accuracy(TITLES[metric], numbers)
    under = [*guessing.rule(y, look, metric), *([] if dense is None else [pieces.dense_rule(dense)])]
    sheet = Sheet()
    if panels is not None:
        title, x = x["title"], x.copy()
        x["title"] = None  # that of all panels is below them
        band = matching.band(x, along) if matching is not None else []
        chart = _faceted(panels, x, y, sheet, [*band, *under], marked, title)
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


def _faceted(
    panels: Panels, x: alt.X, y: alt.Y, sheet: Sheet, under: Sequence[Any], marked: Marked, title: str
) -> alt.FacetChart:
    """The lines in panels with shared axes, each with the published numbers about its arms."""
    layers = pieces.lines(panels.look, x, y, pieces.tooltip(panels.look, str(y["title"])), legend=True)
    layers = layers if pieces.bounded(panels.frame) else layers[1:]
    data = sheet.rows(marked.below(pieces.with_seeds(panels.frame)), [*FIELDS, "seed", "panel", *marked.columns])
    return pieces.faceted(
        [*under, *layers, *marked.marks(x, y, panels.look, legend=True)], data, "panel", panels.order, panels.columns,
        width=PANEL_WIDTH, height=200, transform=ONLY_SHOWN, x_title=title,
    )  # fmt: skip
