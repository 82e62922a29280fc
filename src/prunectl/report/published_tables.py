"""Published numbers with ours as tables of a page: those of a study and those of a comparison."""

from __future__ import annotations

from typing import Any

import polars as pl

from prunectl.report import cells, tables
from prunectl.report.charts.chart import Chart
from prunectl.results.published.against import Held, held, held_sentences
from prunectl.results.published.load import rows_about
from prunectl.results.table import Results

STUDY = "this study"
"""What the page of one study calls its own numbers in sentences."""


def numbers(results: Results) -> pl.DataFrame | None:
    """Those of the published numbers named in the study that are about its network and data set, as marks of charts."""
    asked = results.study.published
    return rows_about(results.trials, asked.tables, asked.folder) if asked.tables else None


def of_study(results: Results, anchor: str = "published-table") -> list[dict[str, Any]]:
    """A table for each that the study names in `[published]`, whether or not its numbers are marks on a chart.

    `anchor` is how their places on the page are called. Raises PrunectlError for a name without a table.
    """
    return [
        table(number, held, "ours", anchor=anchor)
        | {"prefix": "Published numbers: ", "sentences": held_sentences(held)}
        for number, held in enumerate(held_by(results), 1)
    ]


def held_by(results: Results) -> list[Held]:
    """The study next to each of the tables that it names. Raises PrunectlError for a name without a table."""
    if results.trials.is_empty():
        return []
    asked = results.study.published
    return [held(results.trials, name, STUDY, asked.folder, results.task) for name in asked.tables]


def table(
    number: int, numbers: Held, head: str, chart: Chart | None = None, *, anchor: str = "published-table"
) -> dict[str, Any]:
    """The parts of the table with that `number` on the page; `head` is how our column is called."""
    return {
        "id": f"{anchor}-{number}",
        "prefix": "",
        "sentences": (),
        "name": numbers.name,
        "ours": numbers.ours,
        "about": numbers.about,
        "chart": chart,
        "heads": tables.published_heads(head),
        "rows": [
            {
                "arm": arm,
                "numbers": cells.without_unit(tables.published(row)),
                "within": tables.within(row),
                "note": row["note"],
            }
            for arm, row in zip(tables.published_arms(numbers), numbers.rows, strict=True)
        ],
        "notes": any(row["note"] for row in numbers.rows),
        "chance": tables.chance_of_published(numbers),
    }
