"""Accuracy of the unmodified arms against sparsity and compression, with published numbers."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from prunectl.report import arms
from prunectl.report.charts import axes, collapse, labels, pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import MOST_VARIANTS, ONLY_SHOWN, SHOWN, Look
from prunectl.report.charts.pieces import FIELDS, HEIGHT, WIDTH
from prunectl.report.charts.shading import Shading
from prunectl.results.statistics import center
from prunectl.results.table import METRICS
from prunectl.results.wording import wording

TITLES = {metric.name: metric.title for metric in METRICS}


def against_sparsity(
    trials: pl.DataFrame, look: Look, published: pl.DataFrame | None = None, matching: Shading | None = None
) -> Chart | None:
    """Accuracy against sparsity, with the dense baseline, published numbers as hollow marks, and what is matching."""
    frame = pieces.means(trials, look)
    if frame.is_empty() or frame["sparsity"].n_unique() < 2:
        return None
    look = look.among(frame)
    hollow = _published(trials, published, "top1", look)
    x = axes.sparsity(frame["sparsity"].to_list())
    return Chart(
        name="top1-sparsity",
        title="Top-1 accuracy against sparsity",
        caption=" ".join(
            [
                pieces.spread(frame, look),
                *(["Hollow marks are published numbers."] if hollow is not None else []),
                *([matching.caption] if matching is not None else []),
            ]
        ),
        spec=_lines(frame, look, x, "top1", "sparsity", hollow, matching),
        labels_px=labels.width_px(frame, look),
        panel_px=_panel_px(look),
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
    hollow = _published(trials, published, metric, look)
    x = axes.remaining(frame["compression"].to_list())
    limits = collapse.limits(trials, look)
    return Chart(
        name=f"{metric}-compression",
        title=f"{TITLES[metric].capitalize()} against weights remaining",
        caption=" ".join(
            [
                pieces.spread(frame, look),
                "Each doubling of the compression is as wide as the last." + collapse.caption(limits, x),
                *([matching.caption] if matching is not None else []),
            ]
        ),
        spec=_lines(frame, look, x, metric, "compression", hollow, matching, collapse.within(limits, x)),
        labels_px=labels.width_px(frame, look),
        panel_px=_panel_px(look),
    )


def _panel_px(look: Look) -> int | None:
    return 330 if len(look.variants) > MOST_VARIANTS else None


def _lines(
    frame: pl.DataFrame,
    look: Look,
    x: alt.X,
    metric: str,
    along: str,
    hollow: pl.DataFrame | None,
    matching: Shading | None,
    limits: pl.DataFrame | None = None,
) -> dict[str, object]:
    baselines = frame.unique("dense")["dense"].drop_nulls().to_list() if metric == "top1" else []
    dense = center(baselines, look.center) if baselines else None
    numbers = axes.numbers(frame) + ([] if dense is None else [dense])
    numbers += [] if hollow is None else hollow["center"].to_list()
    y = axes.accuracy(TITLES[metric], numbers)
    named = labels.fit(frame, look)
    layers = matching.band(x, along) if matching is not None else []
    layers += pieces.lines(look, x, y, pieces.tooltip(look, TITLES[metric]), legend=not named)
    sheet = Sheet()
    data = sheet.rows(pieces.with_seeds(frame), [*FIELDS, "seed"])
    if len(look.variants) > MOST_VARIANTS:
        panels = pieces.faceted(layers, data, "variant", look.variants, 3, width=260, height=200, transform=ONLY_SHOWN)
        return spec_of(panels, sheet, look.shown())
    zoom = alt.selection_interval(
        bind="scales", name=f"zoom_{metric}_{along}", zoom="wheel![event.shiftKey]", clear="dblclick"
    )
    layers[-1] = layers[-1].add_params(zoom)
    over: list[Any] = [alt.layer(*layers, data=data, transform=ONLY_SHOWN)]
    over += [] if dense is None else pieces.dense_rule(sheet, dense, y)
    over += [] if limits is None or limits.is_empty() else [collapse.ticks(sheet, limits, x, look)]
    over += [] if hollow is None else [_hollow(sheet, hollow, x, y, look)]
    over += [labels.end_labels(sheet, frame, along, look, y)] if named else []
    chart = alt.layer(*over, width=WIDTH, height=HEIGHT)
    return spec_of(chart, sheet, look.shown())


def _published(trials: pl.DataFrame, published: pl.DataFrame | None, metric: str, look: Look) -> pl.DataFrame | None:
    """Published unmodified numbers of arms that the study has; a row for each hue that a number belongs to."""
    if published is None or published.is_empty() or metric not in published.columns:
        return None
    for column in (name for name in arms.MATCHED if name in published.columns):
        ours, theirs = (frame[column].drop_nulls().unique().to_list() for frame in (trials, published))
        alike = [name for name in theirs if any(arms.selects(column, name, cell) for cell in ours)]
        published = published.filter(pl.col(column).is_null() | pl.col(column).is_in(alike))
    column = look.role.hue
    names = published[column].drop_nulls().unique().to_list()
    cells = {cell: wording(column, cell) for cell in trials[column].drop_nulls().unique(maintain_order=True)}
    hues = {name: [hue for cell, hue in cells.items() if arms.selects(column, name, cell)] for name in names}
    matching = published.filter(arms.unmodified() & pl.col(metric).is_not_null()).with_columns(
        hue=pl.col(column).replace_strict(hues, default=None, return_dtype=pl.List(pl.String)),
        center=pl.col(metric), compression=1 / (1 - pl.col("sparsity")),
    ).explode("hue").filter(pl.col("hue").is_not_null())  # fmt: skip
    return None if matching.is_empty() else matching


def _hollow(sheet: Sheet, hollow: pl.DataFrame, x: alt.X, y: alt.Y, look: Look) -> Any:
    """Published numbers as hollow marks."""
    data = sheet.rows(hollow, ["table", "hue", "sparsity", "compression", "center"])
    mark = alt.Chart(data).transform_filter(SHOWN).mark_point(size=90, filled=False, strokeWidth=1.6)
    tooltip = [
        alt.Tooltip("table:N", title="published"), alt.Tooltip("hue:N", title="arm"),
        alt.Tooltip("sparsity:Q", format=".4~%"), alt.Tooltip("center:Q", title="accuracy", format=".2%"),
    ]  # fmt: skip
    return mark.encode(x=x, y=y, color=look.colour(False), shape=look.shape(False), tooltip=tooltip)
