"""Tables held against each other, and published numbers beside ours: a panel per arm, a colour per table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import altair as alt

from prunectl.base.text import percent, shortened, visible
from prunectl.report import palette
from prunectl.report.charts import pieces
from prunectl.report.charts.chart import Chart, Sheet, spec_of
from prunectl.report.charts.pieces import SHOWN
from prunectl.results.compare import Cell, Comparison, Mean
from prunectl.results.published.against import Held

PANELS = 24
"""At most so many arms have a panel: those that differ most. The tables have them all."""
UNEVEN = 5.0
"""Where the widest panel's range is so many times the middle one's, each panel has a scale of its own."""

OWN = " Each panel has a scale of its own."

WIDTH = 225
PANEL_PX = 290
MEANS, BESIDE = ("mean", "low", "high"), ("published", "ours", "from", "to")
"""The numbers that a panel of accuracies, or of published numbers, has to have room for."""

PUBLISHED = "published"
LEGEND = alt.Legend(title=None)


def accuracies(found: Comparison, labels: Sequence[str]) -> Chart | None:
    """Accuracy against sparsity in every table, over all of its own seeds. `labels` name the tables."""
    arms = _arms(found)
    means = [(label, one) for label, table in zip(labels, _tables(found), strict=True) for one in table]
    means = [(label, one) for label, one in means if one.arm in arms]
    if not means:
        return None
    rows = [_mean(label, one) for label, one in sorted(means, key=lambda each: each[1].sparsity)]
    own = _uneven(_spans(rows, MEANS))
    y = _accuracy("mean:Q", rows, own, MEANS)
    base = alt.Chart().transform_filter(SHOWN).encode(x=_sparsities(rows), color=_colour(labels))
    rule = base.mark_rule(strokeWidth=1.6, opacity=0.6).encode(
        y=alt.Y("low:Q", scale=y["scale"], title=y["title"]), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=1.8).encode(y=y)
    point = base.mark_point(size=42, filled=True, opacity=1).encode(
        y=y, shape=_shape(labels), tooltip=_told("mean", "accuracy, mean", ".2%", "80 % bootstrap interval from")
    )
    several = any(one.n > 1 for _, one in means)
    return Chart(
        name="accuracies",
        title="Accuracy arm by arm",
        caption="Points are means over all seeds that a table has"
        + (", lines the 80 % bootstrap interval of the mean." if several else ": one seed.")
        + (OWN if own else "")
        + _left_out(found, arms),
        spec=_panels([*([rule] if several else []), line, point], rows, arms, labels, own),
        panel_px=PANEL_PX,
    )


def differences(found: Comparison, labels: Sequence[str]) -> Chart | None:
    """Other − first in percentage points, paired by seed: every seed, the mean, its t-interval, a panel per arm."""
    arms = _arms(found)
    cells = [
        (label, cell)
        for label, side in zip(labels[1:], found.sides, strict=True)
        for cell in side.cells
        if cell.difference is not None and cell.arm in arms
    ]
    if not cells:
        return None
    reach = _reach([cell for _, cell in cells])
    own = _uneven(reach)
    room = {arm: (reach[arm] if own else max(reach.values())) * 0.75 for arm in reach}
    ordered = sorted(cells, key=lambda each: each[1].sparsity)
    rows = [row for label, cell in ordered for row in _differences(label, cell, room[cell.arm])]
    names = list(labels[1:])
    axis = alt.Axis(tickCount=5, minExtent=36)
    y = alt.Y("mean:Q", title="difference, points", scale=alt.Scale(nice=True, zero=True), axis=axis)
    base = alt.Chart().transform_filter(SHOWN).encode(x=_sparsities(rows), color=_colour(labels, names))
    if len(names) > 1:
        base = base.encode(xOffset=alt.XOffset("hue:N", sort=names, scale=alt.Scale(domain=names, paddingOuter=0.4)))
    zero = alt.Chart().mark_rule(color=palette.NOTE, strokeWidth=1).encode(y=alt.datum(0))
    rule = base.mark_rule(strokeWidth=2, opacity=0.75).encode(
        y=alt.Y("from:Q", scale=y["scale"], title=y["title"]), y2="to:Q"
    )
    seed = base.mark_point(size=14, filled=True, opacity=0.55).encode(y="difference:Q")
    point = base.mark_point(size=46, filled=True, opacity=1).encode(
        y=y,
        shape=_shape(labels, names),
        tooltip=_told("mean", "mean difference, points", "+.2f", "95 % t-interval from"),
    )
    several = any(cell.n > 1 for _, cell in cells)
    return Chart(
        name="differences",
        title=f"Differences to {labels[0]}",
        caption=(
            "Small dots are seeds that both tables have, large marks the mean of their differences in top-1, lines its "
            "95 % t-interval, cut where it goes far beyond the seeds. An interval that holds 0 settles nothing."
            if several
            else "Paired by seed. One common seed: nothing is settled."
        )
        + (OWN if own else "")
        + _left_out(found, arms),
        spec=_panels([zero, *([rule, seed] if several else []), point], rows, arms, labels, own),
        panel_px=PANEL_PX,
    )


def published(held: Held, label: str, name: str, labels: Sequence[str], arms: Sequence[str]) -> Chart | None:
    """Our accuracy with its t-interval, and the published number as a hollow mark; `arms` name the rows' panels."""
    shown = list(dict.fromkeys(arms))[:PANELS]
    found = sorted(
        ({**row, "panel": arm} for arm, row in zip(arms, held.rows, strict=True) if arm in shown),
        key=lambda row: float(row["sparsity"]),
    )
    if not found:
        return None
    rows = [_beside(label, row) for row in found]
    own = _uneven(_spans(rows, BESIDE))
    y = _accuracy("ours:Q", rows, own, BESIDE)
    names = [label, PUBLISHED]
    colours = [_colours(labels)[label], palette.NOTE]
    shapes = [palette.shapes(labels)[list(labels).index(label)], "diamond"]

    def marked(field: str) -> dict[str, Any]:
        """Ours are filled, the published hollow; one legend says both."""
        return {
            "color": alt.Color(f"{field}:N", scale=alt.Scale(domain=names, range=colours), legend=LEGEND),
            "fill": alt.Fill(
                f"{field}:N", scale=alt.Scale(domain=names, range=[colours[0], "transparent"]), legend=LEGEND
            ),
            "shape": alt.Shape(f"{field}:N", scale=alt.Scale(domain=names, range=shapes), legend=LEGEND),
            "tooltip": [
                alt.Tooltip("arm:N"), alt.Tooltip("at_sparsity:N", title="sparsity"),
                alt.Tooltip("published:Q", format=".2%"), alt.Tooltip("ours:Q", title=label, format=".2%"),
                alt.Tooltip("low:Q", title="95 % t-interval from", format=".2%"),
                alt.Tooltip("high:Q", title="to", format=".2%"), alt.Tooltip("n:Q", title="seeds"),
            ],
        }  # fmt: skip

    base = alt.Chart().encode(x=_sparsities(rows))
    rule = base.mark_rule(strokeWidth=2, opacity=0.6, color=colours[0]).encode(
        y=alt.Y("from:Q", scale=y["scale"], title=y["title"]), y2="to:Q"
    )
    ours = base.mark_point(size=46, opacity=1).encode(y=y, **marked("hue"))
    theirs = base.mark_point(size=90, strokeWidth=1.8, opacity=1).encode(
        y=alt.Y("published:Q", scale=y["scale"], title=y["title"]), **marked("of")
    )
    several = any(row["n"] > 1 for row in rows)
    return Chart(
        name=name,
        title=f"{held.name} beside {label}",
        caption="Hollow: published. Filled: the mean over our seeds"
        + (" with its 95 % t-interval." if several else ".")
        + (OWN if own else "")
        + ("" if len(set(arms)) <= PANELS else f" The first {PANELS} arms."),
        spec=_panels([*([rule] if several else []), ours, theirs], rows, shown, labels, own),
        panel_px=PANEL_PX,
    )


def _beside(label: str, row: Mapping[str, Any]) -> dict[str, Any]:
    low, high = row["low"], row["high"]
    return {
        "hue": label, "of": PUBLISHED, "arm": _panel(row["panel"]), "at_sparsity": percent(row["sparsity"]),
        **{name: row[name] for name in ("published", "ours", "low", "high", "n")},
        "from": row["ours"] if low is None else low, "to": row["ours"] if high is None else high,
    }  # fmt: skip


def _panels(
    layers: Sequence[Any], rows: list[dict[str, Any]], arms: Sequence[str], labels: Sequence[str], own: bool
) -> dict[str, Any]:
    """A panel per arm, in the order of the study; at most four beside each other."""
    sheet = Sheet()
    panel = alt.layer(*layers).properties(width=WIDTH, height=170)
    names = [_panel(arm) for arm in arms]
    facet = alt.Facet("arm:N", title=None, sort=names, header=alt.Header(labelLimit=WIDTH + 40))
    chart = panel.facet(facet, data=sheet.values(rows), columns=min(4, len(names)))
    chart = chart.resolve_axis(x="independent", y="independent")
    if own:
        chart = chart.resolve_scale(y="independent")
    return spec_of(chart.add_params(alt.param(name="shown", value=list(labels))), sheet)


def _uneven(spans: Mapping[str, float]) -> bool:
    """Whether one arm's range would flatten the others'."""
    return max(spans.values()) > UNEVEN * max(median(spans.values()), 1e-9)


def _tables(found: Comparison) -> list[tuple[Mean, ...]]:
    return [found.means, *(side.means for side in found.sides)]


def _arms(found: Comparison) -> list[str]:
    """The arms that have a panel, in the order of the tables: all of them, or those that differ most."""
    every = list(dict.fromkeys(one.arm for table in _tables(found) for one in table))
    if len(every) <= PANELS:
        return every
    apart = dict.fromkeys(every, -1.0)
    for cell in (cell for side in found.sides for cell in side.cells if cell.difference is not None):
        apart[cell.arm] = max(apart[cell.arm], abs(cell.difference or 0))
    most = set(sorted(every, key=lambda arm: -apart[arm])[:PANELS])
    return [arm for arm in every if arm in most]


def _left_out(found: Comparison, arms: Sequence[str]) -> str:
    every = {one.arm for table in _tables(found) for one in table}
    return f" The {len(arms)} of {len(every)} arms that differ most." if len(arms) < len(every) else ""


def _panel(arm: str) -> str:
    return visible(shortened(arm, 80))


def _mean(label: str, one: Mean) -> dict[str, Any]:
    return {
        "hue": label, "arm": _panel(one.arm), "at_sparsity": percent(one.sparsity), "sparsity": one.sparsity,
        "mean": one.mean, "low": one.interval.low if one.interval else None,
        "high": one.interval.high if one.interval else None, "n": one.n,
    }  # fmt: skip


def _reach(cells: Sequence[Cell]) -> dict[str, float]:
    """How far the seeds' differences of each arm reach from 0, in points; never nothing."""
    reach: dict[str, float] = {}
    for cell in cells:
        far = max(abs(value) for value in cell.differences) * 100
        reach[cell.arm] = max(reach.get(cell.arm, 0.1), far)
    return reach


def _differences(label: str, cell: Cell, room: float) -> list[dict[str, Any]]:
    """The mean with its interval as drawn, no further than `room` points beyond the seeds; and every seed below it.

    Without an interval, what is drawn of it is the mean alone: a panel of nothing has no scale.
    """
    values = [value * 100 for value in cell.differences]
    centre = (cell.difference or 0) * 100
    at = {"hue": label, "arm": _panel(cell.arm), "at_sparsity": percent(cell.sparsity), "sparsity": cell.sparsity}
    interval = cell.interval
    low, high = (interval.low * 100, interval.high * 100) if interval else (None, None)
    mean = {
        "mean": centre, "low": low, "high": high, "n": cell.n, "difference": None,
        "from": centre if low is None else max(low, min(values) - room),
        "to": centre if high is None else min(high, max(values) + room),
    }  # fmt: skip
    empty = dict.fromkeys(mean)
    return [at | mean, *(at | empty | {"difference": value} for value in values if len(values) > 1)]


def _numbers(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[float]:
    return [row[name] for row in rows for name in names if row[name] is not None]


def _spans(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, float]:
    """How far the numbers of each panel are apart."""
    panels: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        panels.setdefault(row["arm"], []).append(row)
    numbers = {arm: _numbers(each, names) for arm, each in panels.items()}
    return {arm: max(each) - min(each) for arm, each in numbers.items()}


def _accuracy(field: str, rows: Sequence[Mapping[str, Any]], own: bool, names: Sequence[str]) -> alt.Y:
    """One scale of accuracies for all panels, or each panel its own."""
    if own:
        scale, axis = alt.Scale(zero=False, nice=True), alt.Axis(format=".3~p", tickCount=5, minExtent=36)
        return alt.Y(field, title="top-1 accuracy", scale=scale, axis=axis)
    numbers = _numbers(rows, names)
    return pieces.accuracy("top-1 accuracy", min(numbers), max(numbers), field=field)


def _sparsities(rows: Sequence[dict[str, Any]]) -> alt.X:
    """Each sparsity as far from the next, whatever lies between."""
    ticks = list(dict.fromkeys(row["at_sparsity"] for row in rows))
    return alt.X(
        "at_sparsity:N", sort=ticks, title="sparsity", axis=alt.Axis(labelAngle=0, labelOverlap=True, grid=False)
    )


def _colours(labels: Sequence[str]) -> dict[str, str]:
    return {label: palette.OTHERS[at % len(palette.OTHERS)] for at, label in enumerate(labels)}


def _colour(labels: Sequence[str], shown: Sequence[str] | None = None) -> alt.Color:
    found = _colours(labels)
    names = list(labels if shown is None else shown)
    return alt.Color("hue:N", scale=alt.Scale(domain=names, range=[found[name] for name in names]), legend=LEGEND)


def _shape(labels: Sequence[str], shown: Sequence[str] | None = None) -> alt.Shape:
    found = dict(zip(labels, palette.shapes(labels), strict=True))
    names = list(labels if shown is None else shown)
    return alt.Shape("hue:N", scale=alt.Scale(domain=names, range=[found[name] for name in names]), legend=LEGEND)


def _told(field: str, title: str, format: str, bound: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("arm:N"), alt.Tooltip("hue:N", title="table"), alt.Tooltip("at_sparsity:N", title="sparsity"),
        alt.Tooltip(f"{field}:Q", title=title, format=format), alt.Tooltip("low:Q", title=bound, format=format),
        alt.Tooltip("high:Q", title="to", format=format), alt.Tooltip("n:Q", title="seeds"),
    ]  # fmt: skip


def look(labels: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The colour and the shape of every table, for the page's switches."""
    return _colours(labels), dict(zip(labels, palette.shapes(labels), strict=True))
