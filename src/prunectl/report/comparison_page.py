"""A comparison as a page, in the same style as the report's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import and_list, plural, shortened, visible
from prunectl.report import cells, published_tables, shell, tables
from prunectl.report.charts import comparison as charts
from prunectl.report.charts import published as published_charts
from prunectl.report.charts.look import Look
from prunectl.results import compare
from prunectl.results.compare import Comparison, Side, letter
from prunectl.results.published.against import Held, held_sentences
from prunectl.results.table import Task

LISTED = 500
"""Maximum number of trials listed of those that only one table has."""
ANSWERS = {"higher": "↑ higher", "lower": "↓ lower", "the same": "= the same", "not settled": "? not settled"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A table of ours: its name as it was given, its trials, and its study's name and file, if it has one."""

    name: str
    trials: pl.DataFrame
    study: str = ""
    text: str = ""
    restricted: str = ""  # what of the study was asked for; empty for all of it
    task: Task | None = None  # what its networks are measured on; a results file does not record it

    @property
    def full(self) -> str:
        """The name with what was asked for."""
        return f"{self.name} {self.restricted}" if self.restricted else self.name


def build(sources: Sequence[Source], comparison: Comparison | None, held: Sequence[Held]) -> str:
    """The page. The same tables always give the same page, byte for byte."""
    labels = [_label(at, source.name) for at, source in enumerate(sources)]
    look = charts.look_of(labels, compare.one_task(source.task for source in sources))
    sides = list(zip(map(letter, range(1, len(sources))), comparison.sides if comparison else (), strict=True))
    drawn = [charts.differences(comparison, look), charts.accuracies(comparison, look)] if comparison else []
    published = [_published(number, table, look) for number, table in enumerate(held, 1)]
    names = dict.fromkeys([*_called(sources), *(table.name for table in held)])
    differing = _differing([side for _, side in sides])
    return shell.rendered(
        "comparison.html.j2",
        [chart for chart in [*drawn, *(table["chart"] for table in published)] if chart is not None],
        look,
        title=" compared with ".join([next(iter(names)), and_list(list(names)[1:])]),
        sources=[_source(at, source) for at, source in enumerate(sources)],
        sentences=[
            *(text for other, side in sides for text in compare.sentences(side, other)),
            *(text for table in held for text in held_sentences(table)),
            *compare.intervals(comparison, (row["n"] for table in held for row in table.rows)),
        ],
        letters=[letter(at) for at in range(len(sources))],
        differing=[row for row in differing if not _about_claim(row[0])],
        claims=[row for row in differing if _about_claim(row[0])],
        drawn=[chart for chart in drawn if chart is not None],
        several=len(sides) > 1,
        cells=[_cell(other, cell) for other, side in sides for cell in side.cells],
        heads=tables.case_heads("other" if len(sides) > 1 else "B"),
        chance=tables.chance_of(comparison) if comparison else (),
        compared=bool(sides),
        rests=[rest for other, side in sides for rest in _rests(other, side)],
        published=published,
        studies=[(label, source.text) for label, source in zip(labels, sources, strict=True) if source.text],
    )


def _called(sources: Sequence[Source]) -> list[str]:
    """The names of tables in the heading: of the studies, else of the files; as given where these are the same."""
    short = [source.study or PurePath(source.name).name or source.name for source in sources]
    return [name if short.count(name) == 1 else source.name for name, source in zip(short, sources, strict=True)]


def _about_claim(key: str) -> bool:
    """Whether a key of a study belongs to a claim: studies differ in many of these, and they are folded."""
    return key.startswith("claim[") or key == "claim"


def _label(at: int, name: str) -> str:
    """The name of a table on charts: its letter, and its file's name without the folders."""
    return f"{letter(at)} · {visible(shortened(PurePath(name).name or name, 40))}"


def _source(at: int, source: Source) -> dict[str, Any]:
    trials = source.trials

    def values(column: str) -> str:
        names = trials[column].drop_nulls().unique(maintain_order=True).to_list()
        return and_list([words(name) for name in names[:4]]) + (" and more" if len(names) > 4 else "")

    return {
        "letter": letter(at),
        "name": source.full,
        "network": values("model"),
        "data": values("dataset"),
        "trials": f"{trials['top1'].drop_nulls().len():,} of {trials.height:,}",
        "seeds": str(trials["seed"].n_unique()),
    }


def _differing(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    """A row for each arm column or key in which tables differ: its name, and its value in every table."""
    rows: dict[str, list[Any]] = {}
    for at, side in enumerate(sides, 1):
        for key, (first, other) in {**tables.differing(side), **side.keys}.items():
            rows.setdefault(key, [first] * (len(sides) + 1))[at] = other
    return [(key, [_value(value) for value in values]) for key, values in rows.items()]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_value(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return "–" if value is None else str(value)


def _cell(other: str, cell: compare.Cell) -> dict[str, Any]:
    return {
        "table": other,
        "arm": cell.arm,
        "numbers": cells.without_unit(tables.case(cell)),
        "answer": ANSWERS[cell.answer],
    }


def _rests(other: str, side: Side) -> list[dict[str, Any]]:
    """The trials that only one table has."""
    return [
        {
            "head": f"{plural(len(trials), 'trial')} of {label} without a counterpart in {versus}",
            "trials": trials[:LISTED],
            "more": f"and {len(trials) - LISTED:,} more" if len(trials) > LISTED else "",
        }
        for label, versus, trials in (("A", other, side.only_first), (other, "A", side.only_other))
        if trials
    ]


def _published(number: int, held: Held, look: Look) -> dict[str, Any]:
    label = next(label for label in look.role.hues if label.startswith(f"{held.ours} "))
    chart = published_charts.against(held, label, f"published-{number}", look, tables.published_arms(held))
    return published_tables.table(number, held, held.ours, chart)
