"""Published numbers on the charts of accuracy: a shape for each table, in the colour of the arm that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from prunectl.base.text import and_list, plural
from prunectl.report import arms
from prunectl.report.charts import ticks
from prunectl.report.charts.chart import Sheet
from prunectl.report.charts.look import SHOWN, Look
from prunectl.results.aggregate import with_roles

SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down", "triangle-right", "triangle-left")
"""The hollow mark of each table, in turn."""
NAMES = {"circle": "circles", "diamond": "diamonds", "square": "squares", "cross": "crosses"}
ROOM = 1e-6
NEAR = 1.2
"""How far from our numbers a published one is drawn, as a share of their range: else it would flatten them."""

ONLY_LISTED = "Published numbers have no marks in panels; the section Tables has them next to ours."


@dataclass(frozen=True, kw_only=True, eq=False)
class Marked:
    """The published numbers of unmodified arms that the study has, on one chart."""

    frame: pl.DataFrame | None  # a row for each hue that a number belongs to; None without any
    shapes: dict[str, str]  # of the tables that have a number on the chart
    outside: int  # numbers beyond the axes
    only_listed: bool = False  # whether there are numbers, and the chart has no marks for them

    @classmethod
    def of(
        cls, trials: pl.DataFrame, published: pl.DataFrame | None, metric: str, look: Look, x: alt.X,
        ours: Sequence[float],
    ) -> Marked:  # fmt: skip
        """Those on an axis of sparsity or compression, which is that of our own numbers, and not far from these."""
        frame = _of_hues(trials, published, metric, look)
        if frame is None:
            return cls(frame=None, shapes={}, outside=0)
        low, high = x["scale"]["domain"]
        reach = NEAR * max(max(ours) - min(ours), 0.01)
        near = pl.col("center").is_between(min(ours) - reach, max(ours) + reach)
        within = near & pl.col(x["shorthand"].split(":")[0]).is_between(low - ROOM, high + ROOM)
        inside = frame.filter(within)
        tables = inside["table"].unique(maintain_order=True).to_list()
        shapes = {table: SHAPES[at % len(SHAPES)] for at, table in enumerate(tables)}
        return cls(frame=inside if tables else None, shapes=shapes, outside=frame.height - inside.height)

    def unmarked(self) -> Marked:
        """The same numbers without marks, for a chart in panels; the caption refers to the table that has them."""
        return Marked(frame=None, shapes={}, outside=0, only_listed=self.frame is not None or self.outside > 0)

    @property
    def numbers(self) -> list[float]:
        """The accuracies, for which the axis needs room."""
        return [] if self.frame is None else self.frame["center"].to_list()

    @property
    def caption(self) -> str:
        """Which mark is which table's, and how many numbers have none; nothing without published numbers."""
        if self.only_listed:
            return ONLY_LISTED
        marks = [f"hollow {NAMES.get(shape, shape + ' marks')} {table}" for table, shape in self.shapes.items()]
        text = f"Published numbers: {and_list(marks)}." if marks else ""
        beyond = f"{plural(self.outside, 'published number')} beyond the axes not drawn."
        return " ".join(filter(None, [text, beyond if self.outside else ""]))

    def layer(self, sheet: Sheet, x: alt.X, y: alt.Y, look: Look, *, legend: bool) -> list[Any]:
        """The hollow marks; none where nothing is published. `legend`: whether the chart has one for colours."""
        if self.frame is None:
            return []
        data = sheet.rows(self.frame, ["table", "hue", "sparsity", "compression", "center"])
        tooltip = [
            alt.Tooltip("table:N", title="published"), alt.Tooltip("hue:N", title="arm"),
            alt.Tooltip("sparsity:Q", format=ticks.SHARE),
            alt.Tooltip("center:Q", title="accuracy", format=ticks.ACCURACY),
        ]  # fmt: skip
        base = alt.Chart(data).transform_filter(SHOWN).encode(x=x, y=y, color=look.colour(legend), tooltip=tooltip)
        return [
            base.transform_filter(alt.FieldEqualPredicate(field="table", equal=table)).mark_point(
                shape=shape, size=95, filled=False, strokeWidth=1.7
            )
            for table, shape in self.shapes.items()
        ]


def _of_hues(trials: pl.DataFrame, published: pl.DataFrame | None, metric: str, look: Look) -> pl.DataFrame | None:
    if published is None or published.is_empty() or metric not in published.columns:
        return None
    columns = [name for name in dict.fromkeys((*arms.MATCHED, look.role.hue)) if name in published.columns]
    ours = with_roles(trials.filter(arms.unmodified()), look.role).unique("arm", maintain_order=True)
    known = [(row["hue"], {name: row[name] for name in columns}) for row in ours.iter_rows(named=True)]
    hues = [
        list(dict.fromkeys(hue for hue, cells in known if all(_asks(row[name], name, cells) for name in columns)))
        for row in published.iter_rows(named=True)
    ]
    matching = published.with_columns(
        hue=pl.Series(hues, dtype=pl.List(pl.String)), center=pl.col(metric), compression=1 / (1 - pl.col("sparsity"))
    )
    about = pl.col(look.role.hue).is_not_null() | pl.col("criterion").is_in(look.role.alone)
    matching = matching.filter(
        arms.unmodified() & pl.col(metric).is_not_null() & about
    ).explode("hue").filter(pl.col("hue").is_not_null())  # fmt: skip
    return None if matching.is_empty() else matching


def _asks(wanted: str | None, column: str, cells: Mapping[str, str | None]) -> bool:
    """Whether a published number, in one column, is about an arm; one without a value there leaves it open."""
    cell = cells[column]
    return wanted is None or (cell is not None and arms.selects(column, wanted, cell))
