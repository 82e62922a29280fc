"""Published numbers with ours as tables of a page: those of a study and those of a comparison."""

from __future__ import annotations

from typing import Any

from prunectl.report import cells, tables
from prunectl.report.charts.chart import Chart
from prunectl.results.published.against import Held, held, held_sentences
from prunectl.results.table import Results

STUDY = "this study"
"""What the page of one study calls its own numbers in sentences."""


def of_study(results: Results) -> list[dict[str, Any]]:
    """A table for each that the study names in `[published]`, whether or not its numbers are marks on a chart.

    Raises PrunectlError for a name without a table.
    """
    if results.trials.is_empty():
        return []
    named = (held(results.trials, name, STUDY) for name in results.study.published.tables)
    return [
        table(number, numbers, "ours") | {"prefix": "Published numbers: ", "sentences": held_sentences(numbers)}
        for number, numbers in enumerate(named, 1)
    ]


def table(number: int, numbers: Held, head: str, chart: Chart | None = None) -> dict[str, Any]:
    """The parts of the table with that `number` on the page; `head` is how our column is called."""
    return {
        "id": f"published-table-{number}",
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
    }
