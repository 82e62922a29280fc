"""Claims as intervals: each difference, and the margin that it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import altair as alt

from prunectl.base.text import percent
from prunectl.report import palette
from prunectl.report.charts import ticks
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.results.claims import Verdict
from prunectl.results.reasons import Detail

ANSWERS = {
    "supported": ("#009e73", "circle"),
    "refuted": ("#d55e00", "diamond"),
    "not settled": ("#8a8f98", "square"),
}
"""For each answer its colour and its shape."""

WIDTH, PANEL_PX = 440, 550
ROW_PX, TEXT_PX, GAP_PX = 24, 14, 8
"""The height of a case, of a line of text, and of the space between two arms."""
BELOW_PX = 6
"""How far below the interval its seeds are."""
CASE = "isValid(datum.n)"
"""The filter that leaves the rows of cases: those of single seeds have a place and a difference alone."""
HEAD, LABEL = 46, 20
"""Characters of a line of the name of an arm above its cases, and of a label left of the plot: what fits on a phone."""
TITLE, SUBTITLE = 64, 78
"""Characters of a line of a title and of what all cases share, in a panel of WIDTH. The page wraps them again, to the
width that its panels have.
"""
AROUND_PX, LINE_PX = 70, 16
"""The height of a panel around its cases (axis and gap), and of a line of its title."""
EVEN, EVEN_ENOUGH = 0.6, 0.85
"""Panels are in two columns only where the height of the shorter one is at least this share of the taller one's: else a
part is white. Where it is at least the second share, the panels stay in the order of the claims from left to right.
"""
GAP = 28
"""Between panels, in pixels."""
BOUNDS = {"mean": "mean difference", "low": "t-interval from", "high": "to", "margin": "at least"}
"""The numbers of a case in its tooltip."""
PARTS = " · "
"""What separates the parts of a case's name."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a case is called: the parts that all cases of a claim have are in its title, and in no row."""

    shared: str  # for the title
    head: str  # above the cases of an arm; empty where there is only one
    label: str  # left of the plot


def intervals(verdicts: Sequence[Verdict]) -> Chart | None:
    """A panel per claim, as high as its cases need: a row for each case, its name left of the plot.

    The panels fill two columns of about the same height, or one column in the width of the page.
    """
    sheet = Sheet()
    panels = [
        _panel(number, verdict, details, sheet)
        for number, verdict in enumerate(verdicts, 1)
        if (details := [detail for detail in verdict.details if detail.difference is not None])
    ]
    if not panels:
        return None
    columns = [alt.vconcat(*column, spacing=GAP) for column in _columns(panels)]
    chart = alt.hconcat(*columns, spacing=GAP).resolve_scale(x="independent", y="independent")
    return Chart(
        name="claims",
        title="The differences that the claims are about",
        caption=f"Means over pairs of one seed (small dots) with their {_levels(verdicts)}; to the right, the arm "
        "that is claimed to be better is better. Grey and dashed: the least that is claimed. Colours and shapes show "
        "what each case alone shows.",
        spec=spec_of(chart, sheet),
        panel_px=PANEL_PX,
    )


def _columns(panels: Sequence[Any]) -> list[Sequence[Any]]:
    """The panels in two columns of about the same height, each in the order of the claims; in one column where two
    would not be even.
    """
    heights = [_height(panel) for panel in panels]
    in_order = list(range(len(panels)))
    highest_first = sorted(in_order, key=lambda at: -heights[at])
    both = [_filled(heights, order) for order in (in_order, highest_first)]
    evenness, columns = max(both, key=lambda filled: min(filled[0], EVEN_ENOUGH))  # the first one if both are
    return [panels] if evenness < EVEN else [[panels[at] for at in column] for column in columns]


def _filled(heights: Sequence[float], order: Sequence[int]) -> tuple[float, list[list[int]]]:
    """Two columns, each panel in the one that is shorter when its turn comes, and the height of the shorter one as a
    share of the taller one's.
    """
    columns: list[list[int]] = [[], []]
    filled = [0.0, 0.0]
    for at in order:
        column = filled.index(min(filled))
        columns[column].append(at)
        filled[column] += heights[at]
    return min(filled) / max(filled), sorted(map(sorted, columns))


def _height(panel: Any) -> float:
    """About how high a panel is."""
    title, subtitle = panel.title.text, panel.title.subtitle
    return float(
        AROUND_PX + LINE_PX * (len(title) + (0 if subtitle is alt.Undefined else len(subtitle))) + panel.height
    )


def _panel(number: int, verdict: Verdict, details: Sequence[Detail], sheet: Sheet) -> Any:
    names = names_of(verdict, details)
    rows, heads, height = _rows(number, verdict, details, names)
    seeds = [
        {"y": row["y"] + BELOW_PX, "answer": row["answer"], "seed": seed} for row in rows for seed in row.pop("seeds")
    ]
    data = sheet.values([*rows, *seeds, *heads])
    bounded, several = any(row["low"] is not None for row in rows), bool(seeds)
    layers = _layers(_title(verdict), height, rows, named=bool(heads), bounded=bounded, several=several)
    title = alt.TitleParams(
        wrap(f"{number}. {verdict.claim.text}", TITLE, max_lines=4, placeholder=" …"), frame="bounds", offset=6,
        subtitle=wrap(names[0].shared, SUBTITLE, max_lines=3, placeholder=" …") or alt.Undefined,
    )  # fmt: skip
    chart: Any = alt.layer(*layers, data=data, width=WIDTH, height=height, title=title)
    return chart


def names_of(verdict: Verdict, details: Sequence[Detail]) -> list[Names]:
    """The names of the cases. Where all are at one sparsity, this is in the title, and their labels are their arms."""
    parts = [_parts(detail.arm) for detail in details]
    common = [part for part in parts[0] if all(part in own for own in parts)]
    arms = [PARTS.join(part for part in own if part not in common) for own in parts]
    upto = "up to " if verdict.claim.metric.swept else ""
    places = [f"{upto}{percent(detail.sparsity)}" for detail in details]
    alone = len(set(places)) == 1 < len(set(arms))
    shared = PARTS.join([*common, *([f"{'' if upto else 'at '}{places[0]}"] if alone else [])])
    several = len(set(arms)) > 1
    return [
        Names(shared=shared, head=arm if several and not alone else "", label=arm if alone else place)
        for arm, place in zip(arms, places, strict=True)
    ]


def _parts(arm: str) -> list[str]:
    """The parts of a case's name. Those of two arms against each other belong together."""
    return [arm] if " against " in arm else arm.split(PARTS) if arm else []


def _levels(verdicts: Sequence[Verdict]) -> str:
    """The level of the intervals; where seeds are added, it is that of the look of each claim."""
    levels = {verdict.supports for verdict in verdicts}
    return f"{percent(levels.pop())} t-intervals" if len(levels) == 1 else "t-intervals at the level of its look"


def _title(verdict: Verdict) -> str:
    """The name of the axis, with its unit."""
    metric = verdict.claim.metric
    better, worse = ("better", "compared") if metric.better == "high" else ("compared", "better")
    return f"difference in {metric.head}, {metric.differences().name}: {better} minus {worse}"


def _layers(
    title: str, height: float, rows: Sequence[dict[str, Any]], *, named: bool, bounded: bool, several: bool
) -> list[alt.Chart]:
    colour, shape = _marks()
    x = alt.X(
        "mean:Q", title=title, scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(tickCount=5, offset=4, grid=False, format=ticks.NUMBER),
    )  # fmt: skip
    place = alt.Scale(domain=[0, height], range=[0, height], nice=False, zero=False)
    every = alt.Chart().encode(y=alt.Y("y:Q", scale=place, axis=_labels(rows), title=None))
    base = every.transform_filter(CASE)
    zero = base.mark_tick(orient="vertical", color=palette.NOTE, opacity=0.4, thickness=1, height=ROW_PX)
    margin = base.mark_rule(color=palette.NOTE, strokeWidth=2, strokeDash=[3, 2])
    interval = base.mark_rule(strokeWidth=2.2).encode(x=alt.X("low:Q", title=title), x2="high:Q", color=colour)
    single = every.mark_point(filled=True, size=14, opacity=0.55, shape="circle")
    point = base.mark_point(filled=True, size=60, opacity=1).encode(x=x, color=colour, shape=shape, tooltip=_tooltip())
    head = alt.Chart().transform_filter("isValid(datum.head)").mark_text(
        align="left", baseline="top", fontSize=11, fontWeight="bold", color=palette.NOTE, lineBreak="\n", limit=0
    )  # fmt: skip
    return [
        zero.encode(x=alt.datum(0)),
        margin.encode(x="margin:Q", y=alt.Y("top:Q", scale=place), y2="bottom:Q"),
        *([interval] if bounded else []),
        *([single.encode(x=alt.X("seed:Q", title=title), color=colour)] if several else []),
        point,
        *([head.encode(x=alt.value(-_left(rows)), y=alt.Y("y:Q", scale=place), text="head:N")] if named else []),
    ]


def _marks() -> tuple[alt.Color, alt.Shape]:
    """A colour and a shape for each answer."""
    colours, shapes = (
        alt.Scale(domain=list(ANSWERS), range=[marks[at] for marks in ANSWERS.values()]) for at in (0, 1)
    )
    legend = alt.Legend(title=None, symbolOpacity=1)
    return alt.Color("answer:N", scale=colours, legend=legend), alt.Shape("answer:N", scale=shapes, legend=legend)


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("claim:N"), alt.Tooltip("case:N"), alt.Tooltip("answer:N", title="this case alone"),
        *(
            alt.Tooltip(f"{field}:Q", title=title, format=ticks.SIGNED)
            for field, title in BOUNDS.items()
        ),
        alt.Tooltip("n:Q", title="seeds"),
    ]  # fmt: skip


def _labels(rows: Sequence[dict[str, Any]]) -> alt.Axis:
    """The labels of the cases, left of the plot, each with a faint line to its interval."""
    places = [row["y"] for row in rows]
    return alt.Axis(
        values=places, labelLimit=0, domain=False, ticks=False, labelPadding=8, grid=True, labelLineHeight=TEXT_PX,
        **ticks.written(places, [row["label"].split("\n") for row in rows]),
    )  # fmt: skip


def _left(rows: Sequence[dict[str, Any]]) -> float:
    """The width of the labels."""
    return 10 + ticks.LETTER_PX * max(len(line) for row in rows for line in row["label"].split("\n"))


def _rows(
    number: int, verdict: Verdict, details: Sequence[Detail], names: Sequence[Names]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], float]:
    """A row for each case, from top to bottom, the heads of arms above their cases, and the height of all."""
    rows: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    top, before = 0.0, ""
    for detail, name in zip(details, names, strict=True):
        if name.head and name.head != before:
            top += GAP_PX if rows else 0
            lines, before = wrap(name.head, HEAD), name.head
            heads.append({"head": "\n".join(lines), "y": top})
            top += TEXT_PX * len(lines)
        label = wrap(name.label, LABEL)
        high = max(ROW_PX, TEXT_PX * len(label) + 6)
        case = PARTS.join(filter(None, [name.shared, name.head, name.label]))
        rows.append(
            _numbers(verdict, detail)
            | {"claim": f"{number}. {verdict.claim.text}", "case": case, "label": "\n".join(label)}
            | {"y": top + high / 2, "top": top, "bottom": top + high}
        )
        top += high
    return rows, heads, top


def _numbers(verdict: Verdict, detail: Detail) -> dict[str, Any]:
    """The numbers of a case, in the unit of the differences."""
    factor = verdict.claim.metric.differences().factor
    assert detail.difference is not None
    return {
        "answer": detail.answer,
        "mean": detail.difference * factor,
        "low": detail.interval.low * factor if detail.interval else None,
        "high": detail.interval.high * factor if detail.interval else None,
        "margin": verdict.claim.margin * factor,
        "n": detail.n,
        "seeds": [difference * factor for difference in detail.differences if detail.n > 1],
    }
