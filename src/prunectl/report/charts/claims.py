"""Claims as intervals: each difference, and the margin that it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

import altair as alt

from prunectl.base.text import percent
from prunectl.report import palette
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.results.claims import Verdict

ANSWERS = {
    "supported": ("#009e73", "circle"),
    "refuted": ("#d55e00", "diamond"),
    "not settled": ("#8a8f98", "square"),
}
"""For each answer its colour and its shape."""


WIDTH, PANEL_PX = 480, 560
ROW_PX, TEXT_PX = 18, 13
"""The height of the interval of a case, and of a line of its name above it."""
BELOW_PX = 6
"""How far below the interval its seeds are."""
CASE = "isValid(datum.n)"
"""The filter that leaves the rows of cases: those of single seeds have a place and a difference alone."""
LINE = 54
"""Characters of a line of a title or a name: so much fits on a phone."""


def intervals(verdicts: Sequence[Verdict]) -> Chart | None:
    """A panel per claim, as high as its cases need: each case's name, and below it its seeds, their mean, its interval
    and the margin.
    """
    sheet = Sheet()
    panels = [
        _panel(number, verdict, rows, sheet)
        for number, verdict in enumerate(verdicts, 1)
        if (rows := list(_rows(number, verdict)))
    ]
    if not panels:
        return None
    chart = alt.concat(*panels, columns=2, spacing=24).resolve_scale(x="independent", y="independent")
    return Chart(
        name="claims",
        title="The differences that the claims are about",
        caption=f"Mean differences, paired by seed (small dots), with their {_levels(verdicts)}; grey ticks: the least "
        "that is claimed. "
        "Colours and shapes show what each case alone shows.",
        spec=spec_of(chart, sheet),
        panel_px=PANEL_PX,
    )


def _panel(number: int, verdict: Verdict, rows: list[dict[str, Any]], sheet: Sheet) -> Any:
    title = wrap(f"{number}. {verdict.claim.text}", LINE, max_lines=4, placeholder=" …")
    height = max(row["y"] for row in rows) + ROW_PX / 2
    names, margin, interval, single, point = _layers(_title(verdict), height)
    intervals = [interval] if any(row["low"] is not None for row in rows) else []
    seeds = [
        {"y": row["y"] + BELOW_PX, "answer": row["answer"], "seed": seed} for row in rows for seed in row.pop("seeds")
    ]
    layers = [names, margin, *intervals, *([single] if seeds else []), point]
    data = sheet.values([*rows, *seeds])
    chart: Any = alt.layer(*layers, data=data, width=WIDTH, height=height, title=title)
    return chart


def _levels(verdicts: Sequence[Verdict]) -> str:
    """The level of the intervals; where seeds are added, it is that of the look of each claim."""
    levels = {verdict.supports for verdict in verdicts}
    return f"{percent(levels.pop())} t-intervals" if len(levels) == 1 else "t-intervals at the level of its look"


def _title(verdict: Verdict) -> str:
    """The name of the axis, with its unit."""
    metric = verdict.claim.metric
    return f"difference in {metric.head}, {metric.differences().name}"


def _layers(title: str, height: float) -> list[alt.Chart]:
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
    x = alt.X("mean:Q", title=title, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5, offset=4))
    place = alt.Scale(domain=[0, height], range=[0, height], nice=False, zero=False)
    every = alt.Chart().encode(y=alt.Y("y:Q", scale=place, axis=None))
    base = every.transform_filter(CASE)
    names = (
        alt.Chart()
        .transform_filter(CASE)
        .mark_text(align="left", baseline="top", fontSize=11, color=palette.NOTE, lineBreak="\n", limit=0)
    )
    single = every.mark_point(filled=True, size=14, opacity=0.55, shape="circle")
    margin = base.mark_tick(orient="vertical", color=palette.NOTE, thickness=2, height=14)
    interval = base.mark_rule(strokeWidth=2.2).encode(x=alt.X("low:Q", title=title), x2="high:Q", color=colour)
    point = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x, color=colour, shape=alt.Shape("answer:N", scale=shapes, legend=legend), tooltip=tooltip
    )
    return [
        names.encode(x=alt.value(0), y=alt.Y("name_y:Q", scale=place, axis=None), text="text:N"),
        margin.encode(x="margin:Q"), interval, single.encode(x=alt.X("seed:Q", title=title), color=colour), point,
    ]  # fmt: skip


def _rows(number: int, verdict: Verdict) -> Iterator[dict[str, Any]]:
    """A row for each case that has a difference, with the places of its name and its interval from the top."""
    factor = verdict.claim.metric.differences().factor
    upto = "up to " if verdict.claim.metric.swept else ""
    top = 0.0
    for detail in verdict.details:
        if detail.difference is None:
            continue
        case = " · ".join([f"{upto}{percent(detail.sparsity)}", *([detail.arm] if detail.arm else [])])
        lines = wrap(case, LINE)
        middle = top + TEXT_PX * len(lines) + ROW_PX / 2
        yield {
            "claim": f"{number}. {verdict.claim.text}",
            "case": case,
            "text": "\n".join(lines),
            "name_y": top,
            "y": middle,
            "answer": detail.answer,
            "mean": detail.difference * factor,
            "low": detail.interval.low * factor if detail.interval else None,
            "high": detail.interval.high * factor if detail.interval else None,
            "margin": verdict.claim.margin * factor,
            "n": detail.n,
            "seeds": [difference * factor for difference in detail.differences if detail.n > 1],
        }
        top = middle + ROW_PX / 2
