"""Published numbers on the charts of accuracy: a shape for each table, in the colour of the arm that they are about.

In a chart with panels, a number is in the panel of the arms that it is about. One that is about arms in several panels,
because its table leaves open what these differ in (a budget, a moment), has no mark: next to the lines of each panel it
would seem to be about these. So has one whose table leaves open what the colours are. The caption counts such numbers.
"""

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
from prunectl.report.charts.split import Panels
from prunectl.results.aggregate import with_roles
from prunectl.results.published.against import TOLERANCE

SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down", "triangle-right", "triangle-left")
"""The hollow mark of each table, in turn."""
NAMES = {"circle": "circles", "diamond": "diamonds", "square": "squares", "cross": "crosses"}
ROOM = 1e-6
NEAR = 1.2
"""How far from our numbers a published one is drawn, as a share of their range: else it would flatten them."""

COLUMNS = ("table", "hue", "sparsity", "compression", "center")
"""The columns that marks and their tooltips need."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Marked:
    """The published numbers of unmodified arms that the study has, on one chart."""

    frame: pl.DataFrame | None  # a row for each hue that a number belongs to, with its `panel`; None without any
    shapes: dict[str, str]  # of the tables that have a number on the chart
    outside: int  # numbers beyond the axes
    open: int = 0  # numbers about arms in several panels
    unknown: Sequence[str] = ()  # the table of each number about arms of ours that has no value in the hue's column
    hue: str = ""  # the column that colours are

    @classmethod
    def of(
        cls, trials: pl.DataFrame, published: pl.DataFrame | None, metric: str, look: Look, x: alt.X,
        ours: Sequence[float], panels: Panels | None = None,
    ) -> Marked:  # fmt: skip
        """Those on an axis of sparsity or compression, which is that of our own numbers, and not far from these."""
        unknown = _without_hue(trials, published, metric, look)
        frame = _of_hues(trials, published, metric, look, panels)
        if frame is None:
            return cls(frame=None, shapes={}, outside=0, unknown=unknown, hue=look.role.hue)
        low, high = x["scale"]["domain"]
        reach = NEAR * max(max(ours) - min(ours), 0.01)
        near = pl.col("center").is_between(min(ours) - reach, max(ours) + reach)
        within = near & pl.col(x["shorthand"].split(":")[0]).is_between(low - ROOM, high + ROOM)
        inside = frame.filter(within & ~pl.col("open"))
        tables = inside["table"].unique(maintain_order=True).to_list()
        shapes = {table: SHAPES[at % len(SHAPES)] for at, table in enumerate(tables)}
        return cls(frame=inside if tables else None, shapes=shapes, outside=_numbers(frame.filter(~within)),
                   open=_numbers(frame.filter(within & pl.col("open"))), unknown=unknown,
                   hue=look.role.hue)  # fmt: skip

    @property
    def columns(self) -> list[str]:
        """The columns that the data of panels has for the marks alone."""
        return [] if self.frame is None else ["table"]

    @property
    def numbers(self) -> list[float]:
        """The accuracies, for which the axis needs room."""
        return [] if self.frame is None else self.frame["center"].to_list()

    @property
    def caption(self) -> str:
        """Which mark is which table's, and how many numbers have none; nothing without published numbers."""
        marks = [f"hollow {NAMES.get(shape, shape + ' marks')} {table}" for table, shape in self.shapes.items()]
        text = f"Published numbers: {and_list(marks)}." if marks else ""
        beyond = f"{plural(self.outside, 'published number')} beyond the axes not drawn."
        several = (
            f"{plural(self.open, 'published number')} about arms in several panels not drawn; the section Tables has "
            f"{'it' if self.open == 1 else 'them'} next to ours."
        )
        them = "it" if len(self.unknown) == 1 else "them"
        colourless = (
            f"{plural(len(self.unknown), 'published number')} of {and_list(list(dict.fromkeys(self.unknown)))} without "
            f"a mark, because the table has no value in the column `{self.hue}` of the colours; the section Tables has "
            f"{them} next to ours."
        )
        sentences = [text, beyond if self.outside else "", several if self.open else ""]
        return " ".join(filter(None, [*sentences, colourless if self.unknown else ""]))

    def below(self, ours: pl.DataFrame) -> pl.DataFrame:
        """The data of panels with the published numbers below: all marks of a panel are from the same data."""
        return ours if self.frame is None else pl.concat([ours, self.frame.select(*COLUMNS, "panel")], how="diagonal")

    def layer(self, sheet: Sheet, x: alt.X, y: alt.Y, look: Look, *, legend: bool) -> list[Any]:
        """The hollow marks with their data; none where nothing is published. `legend`: whether the chart has one for
        colours.
        """
        if self.frame is None:
            return []
        return [mark.properties(data=sheet.rows(self.frame, COLUMNS)) for mark in self.marks(x, y, look, legend=legend)]

    def marks(self, x: alt.X, y: alt.Y, look: Look, *, legend: bool) -> list[Any]:
        """The hollow marks of each table, on the data of the chart around them."""
        tooltip = [
            alt.Tooltip("table:N", title="published"), alt.Tooltip("hue:N", title="arm"),
            alt.Tooltip("sparsity:Q", format=ticks.SHARE),
            alt.Tooltip("center:Q", title="accuracy", format=ticks.ACCURACY),
        ]  # fmt: skip
        base = alt.Chart().transform_filter(SHOWN).encode(x=x, y=y, color=look.colour(legend), tooltip=tooltip)
        return [
            base.transform_filter(alt.FieldEqualPredicate(field="table", equal=table)).mark_point(
                shape=shape, size=95, filled=False, strokeWidth=1.7
            )
            for table, shape in self.shapes.items()
        ]


def _numbers(frame: pl.DataFrame) -> int:
    """How many numbers the rows are about."""
    return frame["number"].n_unique()


def _known(look: Look) -> pl.Expr:
    """Whether the colour of a published number is known."""
    return pl.col(look.role.hue).is_not_null() | pl.col("criterion").is_in(look.role.alone)


def _asked(published: pl.DataFrame, metric: str) -> pl.DataFrame:
    """The published numbers of unmodified arms."""
    return published.filter(arms.unmodified() & pl.col(metric).is_not_null())


def _without_hue(trials: pl.DataFrame, published: pl.DataFrame | None, metric: str, look: Look) -> Sequence[str]:
    """The tables of the numbers that are about arms of ours, as far as these describe them, but have no colour."""
    if published is None or published.is_empty() or metric not in published.columns:
        return ()
    pruned = _asked(published, metric).filter(~_known(look) & pl.col("criterion").is_not_null())
    columns = [name for name in arms.MATCHED if name in pruned.columns and name != look.role.hue]
    ours = trials.filter(arms.unmodified()).select(*columns, "sparsity").unique(maintain_order=True)
    known = list(ours.iter_rows(named=True))
    return [row["table"] for row in pruned.iter_rows(named=True) if any(_about(row, cells, columns) for cells in known)]


def _about(row: Mapping[str, Any], cells: Mapping[str, Any], columns: Sequence[str]) -> bool:
    """Whether a published number is about an arm at a sparsity."""
    near = abs(cells["sparsity"] - row["sparsity"]) <= TOLERANCE
    return near and all(_asks(row[name], name, cells) for name in columns)


def _of_hues(
    trials: pl.DataFrame, published: pl.DataFrame | None, metric: str, look: Look, panels: Panels | None
) -> pl.DataFrame | None:
    """A row for each number and hue that it is about, with the panel of these arms, and whether it is left `open`."""
    if published is None or published.is_empty() or metric not in published.columns:
        return None
    numbers = _asked(published, metric).filter(_known(look))
    wanted = dict.fromkeys((*arms.MATCHED, look.role.hue, *(panels.by if panels is not None else ())))
    columns = [name for name in wanted if name in published.columns]
    ours = _arms(trials, look, panels)
    known = [(row["hue"], row["panel"], {name: row[name] for name in columns}) for row in ours.iter_rows(named=True)]
    places = [
        [(hue, panel) for hue, panel, cells in known if all(_asks(row[name], name, cells) for name in columns)]
        for row in numbers.iter_rows(named=True)
    ]
    found = numbers.with_row_index("number").with_columns(
        hue=pl.Series([list(dict.fromkeys(hue for hue, _ in each)) for each in places], dtype=pl.List(pl.String)),
        panel=pl.Series([each[0][1] if each else None for each in places], dtype=pl.String),
        open=pl.Series([len({panel for _, panel in each}) > 1 for each in places], dtype=pl.Boolean),
        center=pl.col(metric), compression=1 / (1 - pl.col("sparsity")),
    ).explode("hue").filter(pl.col("hue").is_not_null())  # fmt: skip
    return None if found.is_empty() else found


def _arms(trials: pl.DataFrame, look: Look, panels: Panels | None) -> pl.DataFrame:
    """Our unmodified arms with their hue and their panel, which is null in a chart without panels."""
    ours = with_roles(trials.filter(arms.unmodified()), look.role).unique("arm", maintain_order=True)
    if panels is None:
        return ours.with_columns(panel=pl.lit(None, pl.String))
    return ours.join(panels.frame.select("arm", "panel").unique(), on="arm", how="inner", maintain_order="left")


def _asks(wanted: str | None, column: str, cells: Mapping[str, str | None]) -> bool:
    """Whether a published number, in one column, is about an arm; one without a value there leaves it open."""
    cell = cells[column]
    return wanted is None or (cell is not None and arms.selects(column, wanted, cell))
