"""Claims as intervals: each difference, and the margin that it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from prunectl.base.text import percent, shortened
from prunectl.report import palette
from prunectl.report.charts import pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.results.claims import Verdict

ANSWERS = {
    "supported": ("#009e73", "circle"),
    "refuted": ("#d55e00", "diamond"),
    "not settled": ("#8a8f98", "square"),
}
"""For each answer its colour and its shape."""


def intervals(verdicts: Sequence[Verdict]) -> Chart | None:
    """A panel per claim, a line per case: the paired difference, its t-interval, and the margin."""
    values = [row for number, verdict in enumerate(verdicts, 1) for row in _rows(number, verdict)]
    if not values:
        return None
    most = max(len(verdict.details) for verdict in verdicts)
    sheet = Sheet()
    chart = pieces.faceted(
        _layers(_title(verdicts)),
        sheet.values(values),
        "claim",
        None,
        3,
        width=270,
        height=22 * most,
        own_y=True,
        label_px=330,
    )
    return Chart(
        name="claims",
        title="The differences that the claims are about",
        caption=f"Mean differences paired by seed with their {_levels(verdicts)}; grey ticks: the least "
        "that is claimed. "
        "Colours and shapes show what each case alone shows.",
        spec=spec_of(chart.resolve_scale(x="independent", y="independent"), sheet),
        panel_px=380,
    )


def _levels(verdicts: Sequence[Verdict]) -> str:
    """The level of the intervals; where seeds are added, it is that of the look of each claim."""
    levels = {verdict.supports for verdict in verdicts}
    return f"{percent(levels.pop())} t-intervals" if len(levels) == 1 else "t-intervals at the level of its look"


def _title(verdicts: Sequence[Verdict]) -> str:
    """The unit of the axes, where all claims have one."""
    metrics = {verdict.claim.metric.name: verdict.claim.metric for verdict in verdicts if verdict.details}
    if len(metrics) > 1:
        return "difference, in the unit of the claim's metric"
    (metric,) = metrics.values()
    return f"difference in {metric.head}, {metric.differences().name}"


def _layers(title: str) -> list[alt.Chart]:
    legend = alt.Legend(title=None)
    colours, shapes = (
        alt.Scale(domain=list(ANSWERS), range=[marks[at] for marks in ANSWERS.values()]) for at in (0, 1)
    )
    colour = alt.Color("answer:N", scale=colours, legend=legend)
    tooltip = [
        alt.Tooltip("claim:N"), alt.Tooltip("case:N"), alt.Tooltip("answer:N", title="this case alone"),
        alt.Tooltip("mean:Q", title="mean difference", format="+.4~g"), alt.Tooltip("low:Q", format="+.2f"),
        alt.Tooltip("high:Q", format="+.4~g"), alt.Tooltip("margin:Q", title="at least", format="+.2f"),
        alt.Tooltip("n:Q", title="seeds"),
    ]  # fmt: skip
    x = alt.X("mean:Q", title=title, scale=alt.Scale(zero=False, nice=True),
              axis=alt.Axis(tickCount=5))  # fmt: skip
    base = alt.Chart().encode(y=alt.Y("case:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, grid=True)))
    margin = base.mark_tick(color=palette.NOTE, thickness=2, height=18).encode(x="margin:Q")
    interval = base.mark_rule(strokeWidth=2.2).encode(x=alt.X("low:Q", title=title), x2="high:Q", color=colour)
    point = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x, color=colour, shape=alt.Shape("answer:N", scale=shapes, legend=legend), tooltip=tooltip
    )
    return [margin, interval, point]


def _rows(number: int, verdict: Verdict) -> list[dict[str, object]]:
    title = shortened(f"{number}. {verdict.claim.text}", 60)
    factor = verdict.claim.metric.differences().factor
    upto = "up to " if verdict.claim.metric.swept else ""
    return [
        {
            "claim": title,
            "case": " · ".join([f"{upto}{percent(detail.sparsity)}", *([detail.arm] if detail.arm else [])]),
            "answer": detail.answer,
            "mean": detail.difference * factor,
            "low": detail.interval.low * factor if detail.interval else None,
            "high": detail.interval.high * factor if detail.interval else None,
            "margin": verdict.claim.margin * factor,
            "n": detail.n,
        }
        for detail in verdict.details
        if detail.difference is not None
    ]
