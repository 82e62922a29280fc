"""Accuracy against the moment of pruning (Frankle et al. 2021, section 6)."""

from __future__ import annotations

from dataclasses import replace

import altair as alt
import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import percent
from prunectl.report import arms
from prunectl.report.charts import axes, guessing, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look
from prunectl.results.aggregate import with_roles
from prunectl.results.table import Results


def against_moment(results: Results, look: Look) -> Chart | None:
    """A line per criterion through all moments, a panel per sparsity, for at least three moments.

    Networks that are retrained are left out: here all of them go on with the same schedule.
    """
    if (look.role.hue != "criterion" and not look.role.alone) or look.role.names:
        return None  # labels distinguish moments, and a line goes through all of them
    once = pl.col("at").is_not_null()  # not during the training
    pruned = results.trials.filter(arms.unmodified() & (pl.col("sparsity") > 0) & (pl.col("retrain") == "none") & once)
    retrained = bool((results.trials.filter(arms.unmodified())["retrain"] != "none").any())
    look = _without_moments(pruned, look)
    frame = pieces.means(pruned, look).with_columns(pl.col("at").map_elements(words, return_dtype=pl.String))
    drawn = set(frame["at"])
    moments = [moment for moment in arms.moments(results) if moment in drawn]
    if len(moments) < 3 or frame.is_empty():
        return None
    y = axes.accuracy("top-1 accuracy", axes.numbers(frame))
    width = max(150, 34 * len(moments))
    axis = ticks.in_bands(moments, [moment.split() for moment in moments], width)
    x = alt.X("at:N", title=None, sort=moments, axis=axis)
    layers = pieces.lines(look.among(frame), x, y, pieces.tooltip(look, "accuracy"), legend=True, band=False)
    layers = guessing.rule(y, look) + layers
    named = frame.with_columns(panel=pl.col("sparsity").map_elements(_panel, return_dtype=pl.String))
    panels = [_panel(sparsity) for sparsity in sorted(frame["sparsity"].unique())]
    order = pl.col("at").cast(pl.Enum(pl.Series("at", moments)))
    sheet = Sheet()
    data = sheet.rows(named.sort("sparsity", order), [*pieces.FIELDS, "at", "panel", "ablation"])
    chart = pieces.faceted(layers, data, "panel", panels, 3, width=width, height=190, x_title="pruned at",
                           transform=ONLY_SHOWN)  # fmt: skip
    return Chart(
        name="top1-moment",
        title="Top-1 accuracy against the moment of pruning",
        caption=_caption(pieces.spread(frame, look)) + (" Without networks that are retrained." if retrained else ""),
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=width + 70,
    )


def _caption(spread: str) -> str:
    """Without the seeds and bands of other charts: those of neighbouring moments would cover each other."""
    return spread.replace(" (small dots)", "").replace("bands", "intervals (on pointing) are")


def _panel(sparsity: float) -> str:
    return f"{percent(sparsity)} sparsity"


def _without_moments(trials: pl.DataFrame, look: Look) -> Look:
    """The look in which arms that differ only in the moment of pruning are one line."""
    role = replace(look.role, variant=tuple(name for name in look.role.variant if name not in ("at", "retrain")))
    variants = with_roles(trials, role)["variant"].unique(maintain_order=True).to_list()
    return replace(look, role=role, dashes=Look.of(role, variants).dashes)
