"""`prunectl list`: what a study can name."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prunectl.cli.console import answer, answer_json
from prunectl.cli.options import Json, options

if TYPE_CHECKING:
    from prunectl.api.listing import Listed, Published

What = Annotated[
    str,
    typer.Argument(
        metavar="WHAT", help="criteria, scopes, models, datasets, ... or published; an unknown one lists all."
    ),
]


@options
def list_(what: What, json_: Json = False) -> None:
    """List what a study can name: criteria, scopes, models, datasets, and so on, or published tables."""
    from prunectl.api.listing import PUBLISHED, entries, published

    rows = published() if what == PUBLISHED else entries(what)
    if json_:
        answer_json([_document(row) for row in rows])
        return
    if what == PUBLISHED:
        for table in published():
            answer(f"{table.name}: {table.title}. {table.source}")
            if table.warning:
                answer(f"    note: {table.warning}")
        return
    listed = entries(what)
    width = max(len(entry.name) for entry in listed)
    for entry in listed:
        shown = [f"{key} must be given" for key in entry.required]
        shown += [f"{key} = {_shown(value)}" for key, value in entry.parameters.items()]
        parameters = ", ".join(shown)
        answer(f"{entry.name:<{width}}  {entry.summary}" + (f"  [{parameters}]" if parameters else ""))


def _document(row: Listed | Published) -> dict[str, Any]:
    """A row for programs; of parameters the names alone, those that must be given first."""
    document = asdict(row)
    if "parameters" in document:
        document["parameters"] = [*document.pop("required"), *document["parameters"]]
    return document


def _shown(value: object) -> str:
    """A default as a study file would have it; TOML has no null."""
    from prunectl.base.cells import cell

    return "not given" if value is None else cell(value) if not isinstance(value, str) else f'"{value}"'
