"""`prunectl list` and `prunectl schema`: what there is, and how a study file is written."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from prunectl.base.errors import PrunectlError, nearest
from prunectl.cli import options
from prunectl.cli.console import answer, answer_json

What = Annotated[
    str,
    typer.Argument(
        metavar="WHAT",
        help="criteria, scopes, models, datasets, augmentations, optimizers, schedules, metrics, executors, published.",
    ),
]


def list_(what: What, json_: options.Json = False) -> None:
    """List what a study can name: the entries of a catalogue, or the published tables."""
    from prunectl.catalog import tables

    if what == "published":
        _published(json_)
        return
    if what not in tables.CATALOGS:
        close = nearest(what, [*tables.CATALOGS, "published"])
        raise PrunectlError(
            f"nothing called {what!r} can be listed; there are {', '.join(tables.CATALOGS)}, published",
            hint=f"did you mean {close}?" if close else None,
        )
    entries = {name: tables.entry_type(what, name) for name in tables.names(what)}
    if json_:
        answer_json(
            [
                {
                    "name": name,
                    "summary": entry.summary,
                    "version": entry.version,
                    "parameters": list(entry.model_fields),
                }
                for name, entry in entries.items()
            ]
        )
        return
    width = max(map(len, entries))
    for name, entry in entries.items():
        needed = {key for key, field in entry.model_fields.items() if field.is_required()}
        written = entry.model_construct().model_dump(mode="json", exclude=needed)
        shown = {key: "required" if key in needed else f"= {_toml(written[key])}" for key in entry.model_fields}
        parameters = ", ".join(f"{key} {text}" for key, text in shown.items())
        answer(f"{name:<{width}}  {entry.summary}" + (f"  [{parameters}]" if parameters else ""))


def _toml(value: object) -> str:
    """A default as a study file would have it; TOML has no null, so that is told in a word."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + " }"
    return "not given" if value is None else json.dumps(value)


def _published(json_: bool) -> None:
    from prunectl.results.published.index import describe, names

    tables = {name: describe(name) for name in names()}
    if json_:
        answer_json([{"name": name, **table._asdict()} for name, table in tables.items()])
        return
    for name, table in tables.items():
        answer(f"{name}: {table.title}. {table.source}")
        if table.warning:
            answer(f"    mind: {table.warning}")


def schema() -> None:
    """Print the JSON Schema of study files, for completion in editors."""
    from prunectl.study.jsonschema import json_schema

    answer_json(json_schema())
