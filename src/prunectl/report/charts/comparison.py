"""Tables compared with each other: a panel per arm, a colour per table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import altair as alt
import polars as pl

from prunectl.report.charts import arm_panels, axes, guessing, pieces
from prunectl.report.charts import differences as paired
from prunectl.report.charts.arm_panels import OWN_SCALE, PANEL_PX, PANELS
from prunectl.report.charts.chart import Chart
from prunectl.report.charts.look import SHOWN, Look
from prunectl.results.aggregate import Roles
from prunectl.results.compare import Cell, Comparison, Mean
from prunectl.results.statistics import Interval
from prunectl.results.table import Task


def look_of(labels: Sequence[str], task: Task | None = None) -> Look:
    """How the tables of a comparison are drawn, whose networks are all measured on one task, if that is known."""
    return Look.of(Roles(hue="table", variant=(), hues=tuple(labels)), task=task)


def accuracies(comparison: Comparison, look: Look) -> Chart | None:
    """Accuracy against sparsity in every table, over all seeds that it has."""
    arms = _arms(comparison)
    frame = arm_panels.frame(
        {"hue": label, "arm": mean.arm, "sparsity": mean.sparsity, "mean": mean.mean, "n": mean.n}
        | {"seeds": list(mean.seeds)}
        | _bounds(mean.interval)
        for label, table in zip(look.role.hues, _tables(comparison), strict=True)
        for mean in table
        if mean.arm in arms
    )
    if frame.is_empty():
        return None
    frame, columns = guessing.with_chance(frame, look), ("mean", "low", "high")
    own = arm_panels.uneven(arm_panels.ranges(frame, columns))
    several = max(frame["n"]) > 1
    y = arm_panels.accuracy(frame, "mean", columns, own)
    interval, line, seeds, point = _lines(frame, look, y)
    bounded = frame["low"].is_not_null().any()
    under = guessing.own_rule(y, frame, "mean") if own else guessing.rule(y, look)
    layers = [*under, *([interval] if bounded else []), line, *([seeds] if several else []), point]
    return Chart(
        name="accuracies",
        title="Accuracy arm by arm",
        caption="Points are means over all seeds that a table has"
        + arm_panels.spread(frame)
        + (OWN_SCALE if own else "")
        + _left_out(_every_arm(comparison), arms),
        spec=arm_panels.spec(layers, pieces.with_seeds(frame), arms, look, own),
        panel_px=PANEL_PX,
    )


def _lines(frame: pl.DataFrame, look: Look, y: alt.Y) -> list[alt.Chart]:
    table = alt.Tooltip("hue:N", title="table")
    tooltip = arm_panels.tooltip("80 % bootstrap interval", [table], mean="accuracy, mean")
    every = alt.Chart().transform_filter(SHOWN).encode(x=arm_panels.sparsity(frame), color=look.colour())
    base = every.transform_filter(pieces.SUMMARY)
    return [
        base.mark_rule(strokeWidth=1.6, opacity=0.6).encode(y=axes.along(y, "low:Q"), y2="high:Q"),
        base.mark_line(strokeWidth=1.8).encode(y=y),
        pieces.seeds(every, y, look.colour()),
        base.mark_point(size=42, filled=True, opacity=1).encode(y=y, shape=look.shape(), tooltip=tooltip),
    ]


def differences(comparison: Comparison, look: Look) -> Chart | None:
    """Other − first in percentage points, paired by seed: every seed, the mean, its t-interval, a panel per arm."""
    arms = _arms(comparison)
    cells = [
        (label, cell)
        for label, side in zip(look.role.hues[1:], comparison.sides, strict=True)
        for cell in side.cells
        if cell.difference is not None and cell.arm in arms
    ]
    if not cells:
        return None
    own = arm_panels.uneven(_reach([cell for _, cell in cells]).values())
    means = arm_panels.frame(
        _place(label, cell) | {"mean": cell.difference, "n": cell.n} | _bounds(cell.interval) for label, cell in cells
    )
    several = [(label, cell) for label, cell in cells if cell.n > 1]
    seeds = arm_panels.frame(
        _place(label, cell) | {"difference": value} for label, cell in several for value in cell.differences
    )
    frame = paired.points(means, seeds, "arm" if own else None)
    tooltip = paired.tooltip(alt.Tooltip("arm:N"), alt.Tooltip("hue:N", title="table"))
    layers = paired.layers(frame, look.among(frame), "difference, points", "hue", tooltip, size=46)
    return Chart(
        name="differences",
        title=f"Differences to {look.role.hues[0]}",
        caption=(
            "Small dots are seeds that both tables have, large marks the mean of their differences in top-1, "
            + paired.CAPTION
            if several
            else "Paired by seed. One common seed: nothing is settled."
        )
        + (OWN_SCALE if own else "")
        + _left_out(_paired(comparison), arms),
        spec=arm_panels.spec(layers, frame, arms, look, own),
        panel_px=PANEL_PX,
    )


def _place(label: str, cell: Cell) -> dict[str, Any]:
    return {"hue": label, "arm": cell.arm, "sparsity": cell.sparsity}


def _bounds(interval: Interval | None) -> dict[str, float]:
    return {"low": interval.low, "high": interval.high} if interval else {}


def _reach(cells: Sequence[Cell]) -> dict[str, float]:
    """How far the seeds' differences of each arm are from 0, at least 0.1 points."""
    reach: dict[str, float] = {}
    for cell in cells:
        reach[cell.arm] = max(reach.get(cell.arm, 0.001), *(abs(value) for value in cell.differences))
    return reach


def _tables(comparison: Comparison) -> Iterator[tuple[Mean, ...]]:
    yield comparison.means
    yield from (side.means for side in comparison.sides)


def _every_arm(comparison: Comparison) -> list[str]:
    return list(dict.fromkeys(mean.arm for table in _tables(comparison) for mean in table))


def _arms(comparison: Comparison) -> list[str]:
    """The arms that have a panel, in the order of the tables: all of them, or those that differ most."""
    every = _every_arm(comparison)
    differing = dict.fromkeys(every, -1.0)
    for cell in (cell for side in comparison.sides for cell in side.cells if cell.difference is not None):
        differing[cell.arm] = max(differing[cell.arm], abs(cell.difference or 0))
    most = set(sorted(every, key=lambda arm: -differing[arm])[:PANELS])
    return [arm for arm in every if arm in most]


def _paired(comparison: Comparison) -> set[str]:
    """The arms that have a difference in some table."""
    return {cell.arm for side in comparison.sides for cell in side.cells if cell.difference is not None}


def _left_out(every: Collection[str], arms: Sequence[str]) -> str:
    shown = sum(arm in every for arm in arms)
    return f" The {shown} of {len(every)} arms that differ most." if shown < len(every) else ""
