"""Training curves of the unmodified arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report import arms, palette
from prunectl.report.charts import cut, pieces, ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import SHOWN, Look
from prunectl.report.charts.split import COLUMNS, Panels, needed, split
from prunectl.results.aggregate import with_roles

WIDTH = 190
POINTS = 40
"""Maximum number of points of a curve."""
MEASURES = {
    "top1": "top-1 accuracy on the test set",
    "train_top1": "training accuracy of the epoch",
    "train_loss": "training loss",
}
TITLES = {"top1": "Top-1 accuracy", "train_top1": "Training accuracy", "train_loss": "Training loss"}
NOTES = {"top1": "", "train_top1": " Of the images as they were seen: augmented, in training mode.", "train_loss": ""}
ACCURACIES = ("top1", "train_top1")


def curves(curve: pl.DataFrame, trials: pl.DataFrame, look: Look, measure: str = "top1") -> Chart | None:
    """Test or training accuracy, or training loss, along the training: a panel per sparsity, the dense network in grey.

    The training accuracy is of the images as they were seen: augmented, each by the weights of its own step.
    """
    means = _means(curve, trials, look, measure)
    frame = _lines_only(means)
    sparsities = sorted(frame.filter(pl.col("sparsity") > 0)["sparsity"].unique().to_list())
    panels = pieces.spread_out(sparsities)
    if not panels:
        return None
    drawn = _of_sparsities(frame, panels, look)
    if needed(drawn.frame, drawn.look):
        drawn = _of_one_sparsity(frame, panels[-1], trials, drawn.look)
    sheet = Sheet()
    rows = sheet.rows(drawn.frame, ["panel", "series", "hue", "variant", "epoch", "value", "pruned"])
    chart = pieces.faceted(
        _layers(drawn.frame, drawn.look, measure), rows, "panel", drawn.order, drawn.columns, width=WIDTH, height=175,
        x_title="epoch",
    )  # fmt: skip
    dense = "" if drawn.frame["pruned"].all() else "; grey and dashed: the dense network"
    by_sparsity = drawn.order[0] == _panel(panels[0])
    at = cut.panels(panels, sparsities) if by_sparsity else f" All at {_panel(panels[-1])}."
    domain, where = (_domain(drawn.frame, measure), "below" if measure in ACCURACIES else "above")
    beyond = cut.caption(drawn.frame, domain, where, named_panels=by_sparsity)
    return Chart(
        name=f"curves-{measure.replace('_', '-')}",
        title=f"{TITLES[measure]} along the training",
        caption=f"Unmodified arms, {look.center}s over the seeds{dense}.{at}{NOTES[measure]}{beyond}"
        + _absent(trials, look, means, frame, drawn.frame),
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=WIDTH + 35,
    )


def _of_sparsities(frame: pl.DataFrame, sparsities: list[float], look: Look) -> Panels:
    """A panel for each of the sparsities."""
    drawn = frame.filter(pl.col("sparsity").is_in(sparsities)).with_columns(
        panel=pl.col("sparsity").map_elements(_panel, return_dtype=pl.String)
    )
    order = [_panel(value) for value in sparsities]
    return Panels(
        frame=_with_dense(drawn, frame, order, look), look=look.among(drawn), order=order, columns=COLUMNS,
        by=("sparsity",),
    )  # fmt: skip


def _of_one_sparsity(frame: pl.DataFrame, sparsity: float, trials: pl.DataFrame, look: Look) -> Panels:
    """The panels of the charts of accuracy, where one panel cannot hold the lines of a sparsity."""
    panels = split(frame.filter(pl.col("sparsity") == sparsity), trials.filter(arms.unmodified()), look)
    return replace(panels, frame=_with_dense(panels.frame, frame, panels.order, look))


def _panel(sparsity: float) -> str:
    return f"{percent(sparsity)} sparsity"


def _means(curve: pl.DataFrame, trials: pl.DataFrame, look: Look, measure: str) -> pl.DataFrame:
    """For each arm, sparsity and epoch the mean or median over the seeds."""
    trained = _trained(trials, look)
    points = _thinned(curve.filter(pl.col(measure).is_not_null()))
    names = trained.select("artefact", "arm", "hue", "variant", "sparsity")
    joined = pieces.with_series(points.join(names, on="artefact", how="inner", maintain_order="left_right"))
    return (
        joined.group_by("arm", "hue", "variant", "series", "sparsity", "epoch", maintain_order=True)
        .agg(value=look.over_seeds(measure))
        .sort("hue", "variant", "sparsity", "epoch")
    )


def _trained(trials: pl.DataFrame, look: Look) -> pl.DataFrame:
    """The trials that may have a curve."""
    done = arms.unmodified() & (pl.col("status") == "done") & pl.col("artefact").is_not_null()
    return with_roles(trials, look.role).filter(done)


def _absent(
    trials: pl.DataFrame, look: Look, means: pl.DataFrame, lines: pl.DataFrame, drawn: pl.DataFrame
) -> str:  # fmt: skip
    """The arms without a line: without epochs, with only one, or not at the sparsities that are drawn."""
    every = pieces.with_series(_trained(trials, look).filter(pl.col("sparsity") > 0))["series"].to_list()
    once, several, shown = (
        set(each.filter(pl.col("sparsity") > 0)["series"].drop_nulls()) for each in (means, lines, drawn)
    )
    return (
        cut.absent(every, once, "because no epoch of theirs has this number")
        + cut.absent([name for name in every if name in once], several, "because they have one epoch only")
        + cut.absent([name for name in every if name in several], shown, "because they have other sparsities")
    )


def _lines_only(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the curves of a single epoch, which are no lines: they would leave their panels empty."""
    return frame.filter(pl.len().over("hue", "variant", "sparsity") > 1)


def _thinned(curve: pl.DataFrame) -> pl.DataFrame:
    """The same epochs of every curve, at most POINTS of them, the last one included."""
    epochs = sorted(curve["epoch"].unique().to_list())
    every = max(1, -(-len(epochs) // POINTS))
    return curve.filter(pl.col("epoch").is_in(epochs[::-1][::every]))


def _with_dense(drawn: pl.DataFrame, frame: pl.DataFrame, panels: Sequence[str], look: Look) -> pl.DataFrame:
    """The curves of the pruned networks in their panels, and the dense network's in all of them."""
    pruned = drawn.with_columns(pruned=pl.lit(True))
    dense = frame.filter(pl.col("sparsity") == 0).group_by("epoch", maintain_order=True).agg(look.over_seeds("value"))
    names = pl.DataFrame({"panel": panels})
    return pl.concat([pruned, dense.sort("epoch").with_columns(pruned=pl.lit(False)).join(names, how="cross")],
                     how="diagonal")  # fmt: skip


def _layers(data: pl.DataFrame, look: Look, measure: str) -> list[alt.Chart]:
    (low, high), epochs = _domain(data, measure), data["epoch"].to_list()
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    accuracy = measure in ACCURACIES
    format = ticks.accuracy(high - low) if accuracy else ticks.NUMBER
    y = alt.Y("value:Q", title=MEASURES[measure], scale=scale, axis=alt.Axis(format=format, tickCount=5))
    x = alt.X(
        "epoch:Q", title=None, scale=alt.Scale(domain=[min(0.0, *epochs), max(epochs)], nice=False),
        axis=alt.Axis(grid=False, tickCount=6, **ticks.whole(epochs)),
    )  # fmt: skip
    base = alt.Chart().encode(x=x, y=y)
    dense = base.transform_filter("!datum.pruned").mark_line(
        color=palette.NOTE, strokeWidth=1.2, strokeDash=[3, 3], clip=True
    )
    line = base.transform_filter("datum.pruned").transform_filter(SHOWN).mark_line(strokeWidth=1.7, clip=True)
    tooltip = [
        alt.Tooltip("series:N", title="arm"), alt.Tooltip("epoch:Q", format=ticks.NUMBER),
        alt.Tooltip("value:Q", title=MEASURES[measure], format=ticks.ACCURACY if accuracy else ticks.NUMBER),
    ]  # fmt: skip
    drawn = line.encode(color=look.colour(), detail="variant:N", tooltip=tooltip, **look.dash())
    return [drawn] if data["pruned"].all() else [dense, drawn]


def _domain(frame: pl.DataFrame, measure: str) -> tuple[float, float]:
    """The axis of a measure; the caption names what lies beyond it."""
    return cut.accuracies(frame) if measure in ACCURACIES else cut.losses(frame)
