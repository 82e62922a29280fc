"""Training curves of the unmodified arms."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.base.text import percent
from prunectl.report import arms, palette
from prunectl.report.charts import axes, pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import SHOWN, Look
from prunectl.results.aggregate import with_roles

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
    frame = _lines_only(_means(curve, trials, look, measure))
    panels = pieces.spread_out(sorted(frame.filter(pl.col("sparsity") > 0)["sparsity"].unique().to_list()))
    if not panels:
        return None
    data = _points(frame, panels, look)
    sheet = Sheet()
    rows = sheet.rows(data, ["panel", "series", "hue", "variant", "epoch", "value", "pruned"])
    layers = _layers(data, look.among(frame), measure)
    chart = pieces.faceted(layers, rows, "panel", [_panel(value) for value in panels], 4, width=225, height=175)
    return Chart(
        name=f"curves-{measure.replace('_', '-')}",
        title=f"{TITLES[measure]} along the training",
        caption=f"Unmodified arms, {look.center}s over the seeds; grey and dashed: the dense network.{NOTES[measure]}",
        spec=spec_of(chart, sheet, look.shown()),
        panel_px=297,
    )


def _panel(sparsity: float) -> str:
    return f"{percent(sparsity)} sparsity"


def _means(curve: pl.DataFrame, trials: pl.DataFrame, look: Look, measure: str) -> pl.DataFrame:
    """For each arm, sparsity and epoch the mean or median over the seeds."""
    trained = with_roles(trials, look.role).filter(
        arms.unmodified() & (pl.col("status") == "done") & pl.col("artefact").is_not_null()
    )
    points = _thinned(curve.filter(pl.col(measure).is_not_null()))
    names = trained.select("artefact", "hue", "variant", "sparsity")
    joined = pieces.with_series(points.join(names, on="artefact", how="inner", maintain_order="left_right"))
    return (
        joined.group_by("hue", "variant", "series", "sparsity", "epoch", maintain_order=True)
        .agg(value=look.over_seeds(measure))
        .sort("hue", "variant", "sparsity", "epoch")
    )


def _lines_only(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the curves of a single epoch, which are no lines: they would leave their panels empty."""
    return frame.filter(pl.len().over("hue", "variant", "sparsity") > 1)


def _thinned(curve: pl.DataFrame) -> pl.DataFrame:
    """The same epochs of every curve, at most POINTS of them, the last one included."""
    epochs = sorted(curve["epoch"].unique().to_list())
    every = max(1, -(-len(epochs) // POINTS))
    return curve.filter(pl.col("epoch").is_in(epochs[::-1][::every]))


def _points(frame: pl.DataFrame, panels: list[float], look: Look) -> pl.DataFrame:
    """The curves of the pruned networks in their panels, and the dense network's in all of them."""
    pruned = frame.filter(pl.col("sparsity").is_in(panels)).with_columns(
        panel=pl.col("sparsity").map_elements(_panel, return_dtype=pl.String), pruned=pl.lit(True)
    )
    dense = frame.filter(pl.col("sparsity") == 0).group_by("epoch", maintain_order=True).agg(look.over_seeds("value"))
    names = pl.DataFrame({"panel": [_panel(value) for value in panels]})
    return pl.concat([pruned, dense.sort("epoch").with_columns(pruned=pl.lit(False)).join(names, how="cross")],
                     how="diagonal")  # fmt: skip


def _layers(data: pl.DataFrame, look: Look, measure: str) -> list[alt.Chart]:
    axis = alt.Axis(labelExpr=axes.in_percent(".4~r"), tickCount=5) if measure in ACCURACIES else alt.Axis(tickCount=5)
    y = alt.Y("value:Q", title=MEASURES[measure], scale=_scale(data["value"].to_list(), measure), axis=axis)
    base = alt.Chart().encode(x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(grid=False, tickCount=6)), y=y)
    dense = base.transform_filter("!datum.pruned").mark_line(
        color=palette.NOTE, strokeWidth=1.2, strokeDash=[3, 3], clip=True
    )
    line = base.transform_filter("datum.pruned").transform_filter(SHOWN).mark_line(strokeWidth=1.7, clip=True)
    tooltip = [
        alt.Tooltip("series:N", title="arm"), alt.Tooltip("epoch:Q"),
        alt.Tooltip("value:Q", title=MEASURES[measure], format=".2%" if measure in ACCURACIES else ".4~g"),
    ]  # fmt: skip
    return [dense, line.encode(color=look.colour(), detail="variant:N", tooltip=tooltip, **look.dash())]


def _scale(values: list[float], measure: str) -> alt.Scale:
    """Without the lowest 2 % of accuracies or the highest 2 % of losses: the first epochs would flatten the rest."""
    ordered = sorted(value for value in values if value == value and abs(value) < float("inf"))
    if measure in ACCURACIES:
        return alt.Scale(domain=[ordered[len(ordered) // 50], ordered[-1]], nice=True, zero=False, clamp=False)
    return alt.Scale(domain=[ordered[0], ordered[-(len(ordered) // 50) - 1]], nice=True, zero=False)
