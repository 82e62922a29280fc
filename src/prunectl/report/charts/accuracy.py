"""Accuracy of the unmodified arms: against sparsity, compression, cost, and the moment of pruning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl

from prunectl.report import palette
from prunectl.report.charts import pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.pieces import HEIGHT, SHOWN, WIDTH, Look
from prunectl.results import selecting
from prunectl.results.aggregate import summarise, with_roles
from prunectl.results.statistics import center
from prunectl.results.table import METRICS

FIELDS = ("series", "hue", "variant", "sparsity", "compression", "center", "low", "high", "sd", "n")
MOST_VARIANTS = 4
"""With more variants than this, each gets a panel instead of a dash."""

ALIKE = ("criterion", "scope", "structure", "rounds", "at")
"""Columns in which a published number must be like some arm of the study; one that it does not tell is no hindrance."""

TITLES = {metric.name: metric.title for metric in METRICS}


def plain(trials: pl.DataFrame) -> pl.DataFrame:
    """The unmodified trials."""
    return trials.filter(pl.col("ablation") == "none")


def means(trials: pl.DataFrame, look: Look, metric: str = "top1") -> pl.DataFrame:
    """Means or medians of the unmodified arms, with the name of the line that each is on."""
    return pieces.with_series(summarise(plain(trials), metric, look.role, look.center))


def spread(frame: pl.DataFrame, look: Look) -> str:
    """What the points and bands of a summary are, in words."""
    if frame["n"].max() == 1:
        return "One seed: points without intervals."
    kinds = frame["interval"].drop_nulls().unique().to_list()
    return f"Points are {look.center}s over the seeds, bands the {kinds[0]}."


def against_sparsity(trials: pl.DataFrame, look: Look, published: pl.DataFrame | None = None) -> Chart | None:
    """Accuracy against sparsity, with the dense baseline and published numbers as hollow marks."""
    frame = means(trials, look)
    if frame.is_empty() or frame["sparsity"].n_unique() < 2:
        return None
    hollow = _published(trials, published, "top1", look)
    caption = spread(frame, look) + (" Hollow marks are published numbers." if hollow is not None else "")
    spec = _lines(frame, look, pieces.sparsity_axis(frame["sparsity"].to_list()), "top1", "sparsity", hollow)
    return Chart(
        name="top1-sparsity",
        title="Top-1 accuracy against sparsity",
        caption=caption,
        spec=spec,
        labels_px=_labels_px(frame, look),
        panel_px=_panel_px(look),
    )


def against_compression(
    trials: pl.DataFrame, look: Look, metric: str = "top1", published: pl.DataFrame | None = None
) -> Chart | None:
    """Accuracy against compression on a log axis, each tick with the weights remaining."""
    frame = means(trials, look, metric).filter(pl.col("compression").is_finite())
    if frame.is_empty() or frame["compression"].n_unique() < 2:
        return None
    hollow = _published(trials, published, metric, look)
    return Chart(
        name=f"{metric}-compression",
        title=f"{TITLES[metric].capitalize()} against weights remaining",
        caption=spread(frame, look) + " Each doubling of the compression is as wide as the last.",
        spec=_lines(frame, look, pieces.remaining_axis(frame["compression"].to_list()), metric, "compression", hollow),
        labels_px=_labels_px(frame, look),
        panel_px=_panel_px(look),
    )


def _panel_px(look: Look) -> int | None:
    return 330 if len(look.variants) > MOST_VARIANTS else None


def _lines(
    frame: pl.DataFrame, look: Look, x: alt.X, metric: str, along: str, hollow: pl.DataFrame | None
) -> dict[str, object]:
    look = look.among(frame)
    baselines = frame.unique("dense")["dense"].drop_nulls().to_list() if metric == "top1" else []
    dense = center(baselines, look.center) if baselines else None
    numbers = [value for name in ("center", "low", "high") for value in frame[name].drop_nulls()]
    numbers += [] if dense is None else [dense]
    numbers += hollow["center"].to_list() if hollow is not None else []
    y = pieces.accuracy(TITLES[metric], min(numbers), max(numbers))
    faceted = len(look.variants) > MOST_VARIANTS
    named = _named(frame, look)
    layers = pieces.lines(look, x, y, pieces.told(look, TITLES[metric]), legend=not named)
    sheet = Sheet()
    data = sheet.rows(frame, FIELDS)
    if faceted:
        panel = alt.layer(*layers).properties(width=260, height=200)
        facet = alt.Facet("variant:N", title=None, sort=list(look.variants))
        panels = pieces.own_axes(panel.facet(facet, data=data, columns=3))
        return spec_of(panels.transform_filter(SHOWN).add_params(look.shown()), sheet)
    zoom = alt.selection_interval(
        bind="scales", name=f"zoom_{metric}_{along}", zoom="wheel![event.shiftKey]", clear="dblclick"
    )
    layers[-1] = layers[-1].add_params(zoom)
    drawn = alt.layer(*layers, data=data).transform_filter(SHOWN)
    over: list[Any] = [drawn]
    over += [] if dense is None else pieces.dense_rule(sheet, dense, y)
    over += [_hollow(sheet, hollow, x, y, look)] if hollow is not None else []
    over += [pieces.end_labels(sheet, frame, along, look, y)] if named else []
    chart = alt.layer(*over).properties(width=WIDTH, height=HEIGHT)
    return spec_of(chart.add_params(look.shown()), sheet)


def _labels_px(frame: pl.DataFrame, look: Look) -> int:
    return pieces.label_room(frame) if _named(frame, look) else 0


def _named(frame: pl.DataFrame, look: Look) -> bool:
    """Whether the lines carry their names, instead of a legend: if they are few and in one panel."""
    return len(look.variants) <= MOST_VARIANTS and pieces.labelled(frame)


def _published(trials: pl.DataFrame, published: pl.DataFrame | None, metric: str, look: Look) -> pl.DataFrame | None:
    """Published unmodified numbers of the arms that the study has."""
    if published is None or published.is_empty() or metric not in published.columns:
        return None
    for column in (name for name in ALIKE if name in published.columns):
        ours, theirs = (frame[column].drop_nulls().unique().to_list() for frame in (trials, published))
        alike = [name for name in theirs if any(selecting.means(column, name, label) for label in ours)]
        published = published.filter(pl.col(column).is_null() | pl.col(column).is_in(alike))
    column = look.role.hue
    names = published[column].drop_nulls().unique().to_list()
    meant = {name: [hue for hue in look.role.hues if selecting.means(column, name, hue)] for name in names}
    found = published.filter((pl.col("ablation") == "none") & pl.col(metric).is_not_null()).with_columns(
        hue=pl.col(column).replace_strict(meant, default=None, return_dtype=pl.List(pl.String)),
        center=pl.col(metric), compression=1 / (1 - pl.col("sparsity")),
    ).explode("hue").filter(pl.col("hue").is_not_null())  # fmt: skip
    return None if found.is_empty() else found


def _hollow(sheet: Sheet, hollow: pl.DataFrame, x: alt.X, y: alt.Y, look: Look) -> Any:
    return (
        alt.Chart(sheet.rows(hollow, ["table", "hue", "sparsity", "compression", "center"]))
        .transform_filter(SHOWN)
        .mark_point(size=90, filled=False, strokeWidth=1.6)
        .encode(
            x=x, y=y, color=look.colour(False), shape=look.shape(False),
            tooltip=[
                alt.Tooltip("table:N", title="published"), alt.Tooltip("hue:N", title="arm"),
                alt.Tooltip("sparsity:Q", format=".4~%"), alt.Tooltip("center:Q", title="accuracy", format=".2%"),
            ],
        )
    )  # fmt: skip


def against_cost(trials: pl.DataFrame, look: Look, cost: str) -> Chart | None:
    """Accuracy against what a network costs to run or to keep, as a share of the dense one, on a log axis."""
    column, dense, words = {
        "flops": ("flops", "flops_dense", "FLOPs"),
        "size": ("size_bytes", "size_bytes_dense", "size on disk"),
    }[cost]
    known = plain(trials).filter(
        pl.col(column).is_not_null() & (pl.col(dense) > 0) & pl.col("top1").is_not_null() & (pl.col(column) > 0)
    )
    if known.is_empty():
        return None
    share = with_roles(known, look.role).with_columns(share=pl.col(column) / pl.col(dense))
    by = ["hue", "variant", "sparsity"]
    frame = pieces.with_series(summarise(known, "top1", look.role, look.center)).join(
        share.group_by(by).agg(pl.col("share").mean()), on=by, maintain_order="left"
    )
    if frame["share"].n_unique() < 2:
        return None
    look = look.among(frame)
    lowest = float(frame["share"].to_numpy().min())
    x = alt.X(
        "share:Q", title=f"{words}, share of the dense network's (log scale)",
        scale=alt.Scale(type="log", reverse=True, domain=[lowest * 0.95, 1.05], nice=False),
        axis=alt.Axis(format=".2~p", grid=False, labelOverlap="greedy", values=_shares(lowest)),
    )  # fmt: skip
    y = pieces.accuracy("top-1 accuracy", _least(frame), _most(frame))
    extra = [alt.Tooltip("share:Q", title=words, format=".3~p")]
    named = _named(frame, look)
    layers = pieces.lines(look, x, y, pieces.told(look, "accuracy", extra), legend=not named)
    sheet = Sheet()
    drawn = alt.layer(*layers, data=sheet.rows(frame, [*FIELDS, "share"])).transform_filter(SHOWN)
    labels = [pieces.end_labels(sheet, frame, "sparsity", look, y)] if named else []
    chart = alt.layer(drawn, *labels).properties(width=WIDTH, height=HEIGHT)
    return Chart(
        name=f"top1-{cost}",
        title=f"Top-1 accuracy against {words}",
        labels_px=_labels_px(frame, look),
        caption=spread(frame, look) + " What skipping zeros could save; a dense kernel saves nothing.",
        spec=spec_of(chart.add_params(look.shown()), sheet),
    )


def _shares(lowest: float) -> list[float]:
    every = [mantissa * 10.0**power for power in range(-5, 1) for mantissa in (1, 2, 5)]
    return [share for share in every if lowest * 0.9 <= share <= 1]


def _least(frame: pl.DataFrame) -> float:
    return min(float(value) for name in ("center", "low") for value in frame[name].drop_nulls())


def _most(frame: pl.DataFrame) -> float:
    return max(float(value) for name in ("center", "high") for value in frame[name].drop_nulls())


def against_moment(trials: pl.DataFrame, look: Look, per_epoch: float | None = None) -> Chart | None:
    """Accuracy against the moment of pruning, a panel per sparsity (Frankle et al. 2021, section 6).

    Of networks that go on with the same schedule; `per_epoch`, the steps of an epoch, puts both units in one order.
    """
    if look.role.hue != "criterion":
        return None
    pruned = plain(trials).filter((pl.col("sparsity") > 0) & (pl.col("retrain") == "none"))
    moments = sorted(pruned["at"].drop_nulls().unique().to_list(), key=lambda at: moment(at, per_epoch))
    role = replace(look.role, variant=tuple(name for name in look.role.variant if name not in ("at", "retrain")))
    variants = with_roles(pruned, role)["variant"].unique(maintain_order=True).to_list()
    look = replace(look, role=role, dashes=dict(zip(variants, palette.dashes(variants), strict=True)))
    frame = means(pruned, look)
    if len(moments) < 3 or frame.is_empty():
        return None
    look = look.among(frame)
    y = pieces.accuracy("top-1 accuracy", _least(frame), _most(frame))
    x = alt.X("at:N", title="pruned at", sort=moments, axis=alt.Axis(labelAngle=-40))
    panel = alt.layer(*pieces.lines(look, x, y, pieces.told(look, "accuracy"), legend=True, band=False))
    facet = alt.Facet("panel:N", title=None, sort=None)
    named = frame.with_columns(panel=pl.format("{} % sparsity", (pl.col("sparsity") * 100).round_sig_figs(4)))
    order = pl.Series("at", moments)
    sheet = Sheet()
    data = sheet.rows(named.sort("sparsity", pl.col("at").cast(pl.Enum(order))), [*FIELDS, "at", "panel", "ablation"])
    chart = panel.properties(width=max(150, 34 * len(moments)), height=190).facet(facet, data=data, columns=3)
    chart = pieces.own_axes(chart)
    return Chart(
        name="top1-moment",
        title="Top-1 accuracy against the moment of pruning",
        caption=spread(frame, look).replace("bands", "intervals (on pointing) are"),
        spec=spec_of(chart.transform_filter(SHOWN).add_params(look.shown()), sheet),
        panel_px=max(150, 34 * len(moments)) + 70,
    )


def moment(at: str, per_epoch: float | None = None) -> tuple[int, float]:
    """Where a moment of pruning comes in the order of a training: init, epochs or steps, end."""
    unit, _, number = at.partition("(")[0].partition("=")
    if unit in ("epoch", "step") and number:
        return 1, float(number) * (per_epoch or 1.0 if unit == "epoch" else 1.0)
    return (0, 0.0) if at == "init" else (2, 0.0)


def before_and_after(trials: pl.DataFrame, look: Look) -> Chart | None:
    """What retraining recovers: accuracy just after pruning (hollow) and after retraining."""
    known = plain(trials).filter(pl.col("top1_before_retrain").is_not_null() & pl.col("top1").is_not_null())
    if known.is_empty():
        return None
    phases = [("top1_before_retrain", "just after pruning"), ("top1", "after retraining")]
    frame = pl.concat(means(known, look, metric).with_columns(phase=pl.lit(phase)) for metric, phase in phases)
    look = look.among(frame)
    y = pieces.accuracy("top-1 accuracy", _least(frame), _most(frame))
    x = pieces.sparsity_axis(frame["sparsity"].to_list())
    names = [phase for _, phase in phases]
    legend = alt.Legend(title=None, symbolSize=220, symbolStrokeWidth=1.5, orient="bottom")
    scale = alt.Scale(domain=names, range=[[2, 3], [1, 0]])
    dash = alt.StrokeDash("phase:N", sort=names, scale=scale, legend=legend)
    detail = ["variant:N"]
    base = alt.Chart().encode(x=x, y=y, color=look.colour(), detail=detail)
    fill = alt.FillOpacity("phase:O", sort=names, scale=alt.Scale(domain=names, range=[0, 1]), legend=None)
    tooltip = [alt.Tooltip("phase:N"), *pieces.told(look, "accuracy")]
    point = base.mark_point(size=50, filled=False).encode(
        shape=look.shape(), fill=look.fill(), fillOpacity=fill, tooltip=tooltip
    )
    sheet = Sheet()
    data = sheet.rows(frame, [*FIELDS, "phase"])
    chart = alt.layer(base.mark_line(strokeWidth=1.8).encode(strokeDash=dash), point, data=data)
    chart = chart.transform_filter(SHOWN).properties(width=WIDTH, height=HEIGHT)
    return Chart(
        name="retraining",
        title="What retraining recovers",
        caption="Hollow: measured just after pruning. Filled: after retraining. "
        f"{look.center.capitalize()}s over the seeds.",
        spec=spec_of(chart.add_params(look.shown()), sheet),
    )
