"""What retraining recovers: accuracy just after pruning and after retraining."""

from __future__ import annotations

import altair as alt
import polars as pl

from prunectl.report import arms
from prunectl.report.charts import axes, pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.look import ONLY_SHOWN, Look
from prunectl.report.charts.pieces import FIELDS, HEIGHT, WIDTH

PHASES = {"top1_before_retrain": "just after pruning", "top1": "after retraining"}


def before_and_after(trials: pl.DataFrame, look: Look) -> Chart | None:
    """Two lines per arm against sparsity: just after pruning (hollow marks) and after retraining (filled)."""
    known = trials.filter(arms.unmodified() & pl.all_horizontal(pl.col(name).is_not_null() for name in PHASES))
    if known.is_empty():
        return None
    frame = pl.concat(
        pieces.means(known, look, metric).with_columns(phase=pl.lit(phase)) for metric, phase in PHASES.items()
    )
    look = look.among(frame)
    y = axes.accuracy("top-1 accuracy", axes.numbers(frame))
    x = axes.sparsity(frame["sparsity"].to_list())
    base = alt.Chart().encode(x=x, y=y, color=look.colour(), detail=["variant:N"])
    dash, opacity = _marks()
    point = base.mark_point(size=50, filled=False).encode(
        shape=look.shape(), fill=look.fill(), fillOpacity=opacity,
        tooltip=[alt.Tooltip("phase:N"), *pieces.tooltip(look, "accuracy")],
    )  # fmt: skip
    sheet = Sheet()
    line = base.mark_line(strokeWidth=1.8).encode(strokeDash=dash)
    chart = alt.layer(
        line, point, data=sheet.rows(frame, [*FIELDS, "phase"]), transform=ONLY_SHOWN, width=WIDTH, height=HEIGHT
    )
    return Chart(
        name="retraining",
        title="What retraining recovers",
        caption="Hollow: measured just after pruning. Filled: after retraining. "
        f"{look.center.capitalize()}s over the seeds.",
        spec=spec_of(chart, sheet, look.shown()),
    )


def _marks() -> tuple[alt.StrokeDash, alt.FillOpacity]:
    """A dash and a filling for each phase."""
    names = list(PHASES.values())
    legend = alt.Legend(title=None, symbolSize=220, symbolStrokeWidth=1.5, orient="bottom")
    dashes = alt.Scale(domain=names, range=[[2, 3], [1, 0]])
    filling = alt.Scale(domain=names, range=[0, 1])
    return (
        alt.StrokeDash("phase:N", sort=names, scale=dashes, legend=legend),
        alt.FillOpacity("phase:O", sort=names, scale=filling, legend=None),
    )
