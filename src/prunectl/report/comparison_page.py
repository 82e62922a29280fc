"""A comparison → one page, dressed as the report's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import polars as pl

from prunectl.base.text import and_list, percent, plural, shortened, visible
from prunectl.report import comparison_text as texts
from prunectl.report import shell
from prunectl.report.charts import comparison as charts
from prunectl.report.charts.chart import Chart
from prunectl.report.page import TITLE_LENGTH
from prunectl.results import compare
from prunectl.results.compare import Comparison, Side, letter
from prunectl.results.published.against import Held, held_sentences

LISTED = 500
"""So many of the trials that only one side has are listed."""
ANSWERS = {"higher": "↑ higher", "lower": "↓ lower", "the same": "= the same", "not settled": "? not settled"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A table of ours: its name as it was given, its trials, and the text of the study file if it is one's."""

    name: str
    trials: pl.DataFrame
    text: str = ""


def build(sources: Sequence[Source], found: Comparison | None, held: Sequence[Held]) -> str:
    """The page. The same tables give the same page to the letter."""
    labels = [_label(at, source.name) for at, source in enumerate(sources)]
    sides = list(zip(map(letter, range(1, len(sources))), found.sides if found else (), strict=True))
    drawn = [charts.differences(found, labels), charts.accuracies(found, labels)] if found else []
    published = [_published(number, one, labels) for number, one in enumerate(held, 1)]
    colours, shapes = charts.look(labels)
    title = " beside ".join([sources[0].name, and_list([*(side.name for _, side in sides), *_names(held)])])
    shown = [chart for chart in [*drawn, *(each["chart"] for each in published)] if chart is not None]
    return shell.dressed(
        "comparison.html.j2",
        shown,
        labels,
        title=shortened(title, TITLE_LENGTH),
        long_title=title if len(title) > TITLE_LENGTH else "",
        source="",
        reload_s=0,
        facts=[],
        switches=shell.switches(labels, colours, shapes),
        sources=[_source(at, source) for at, source in enumerate(sources)],
        sentences=[
            *(text for other, side in sides for text in compare.sentences(side, other)),
            *(text for one in held for text in held_sentences(one)),
        ],
        letters=[letter(at) for at in range(len(sources))],
        differing=_differing([side for _, side in sides]),
        drawn=[chart for chart in drawn if chart is not None],
        several=len(sides) > 1,
        compared=bool(sides),
        cells=[(other, cell.arm, *_cell(cell)) for other, side in sides for cell in side.cells],
        rests=[
            _rest(label, versus, trials)
            for other, side in sides
            for label, versus, trials in (("A", other, side.only_first), (other, "A", side.only_other))
            if trials
        ],
        published=published,
        studies=[(labels[at], source.text) for at, source in enumerate(sources) if source.text],
    )


def _label(at: int, name: str) -> str:
    """A table on charts: its letter, and its file's name without the way there."""
    return f"{letter(at)} · {visible(shortened(PurePath(name).name or name, 40))}"


def _names(held: Sequence[Held]) -> list[str]:
    return list(dict.fromkeys(one.name for one in held))


def _source(at: int, source: Source) -> dict[str, Any]:
    trials = source.trials

    def values(column: str) -> str:
        found = trials[column].drop_nulls().unique(maintain_order=True).to_list()
        return and_list([str(value) for value in found[:4]]) + (" and more" if len(found) > 4 else "")

    return {
        "letter": letter(at),
        "name": source.name,
        "network": values("model"),
        "data": values("dataset"),
        "trials": f"{trials['top1'].drop_nulls().len():,} of {trials.height:,}",
        "seeds": str(trials["seed"].n_unique()),
    }


def _differing(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    """A row for each arm column or key in which tables differ: its name, and the value of every table, the first's
    value once more where a table has the same.
    """
    rows: dict[str, list[Any]] = {}
    for at, side in enumerate(sides):
        for key, (one, other) in {**side.differs, **side.keys}.items():
            rows.setdefault(key, [one, *[one] * len(sides)])[at + 1] = other
    return [(key, [_value(value) for value in values]) for key, values in rows.items()]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_value(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return "–" if value is None else str(value)


def _cell(cell: compare.Cell) -> tuple[str, ...]:
    sparsity, *numbers, _ = texts.cell_row(cell)
    return (sparsity.removesuffix(" %"), *numbers, ANSWERS[cell.answer])


def _rest(label: str, versus: str, trials: Sequence[str]) -> dict[str, Any]:
    more = len(trials) - LISTED
    return {
        "head": f"{plural(len(trials), 'trial')} of {label} without a counterpart in {versus}",
        "trials": trials[:LISTED],
        "more": f"and {more:,} more" if more > 0 else "",
    }


def _published(number: int, held: Held, labels: Sequence[str]) -> dict[str, Any]:
    label = next(label for label in labels if label.startswith(f"{held.ours} "))
    arms = [texts.arm_of(row, held.rows) for row in held.rows]
    chart: Chart | None = charts.published(held, label, f"published-{number}", labels, arms)
    return {
        "id": f"published-table-{number}",
        "name": held.name,
        "ours": held.ours,
        "about": held.about,
        "chart": chart,
        "rows": [
            (arm, percent(row["sparsity"]).removesuffix(" %"), *texts.held_row(row)[1:], row["note"] or "")
            for arm, row in zip(arms, held.rows, strict=True)
        ],
        "notes": any(row["note"] for row in held.rows),
    }
