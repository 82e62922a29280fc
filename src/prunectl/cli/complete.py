"""The values that Tab offers. Whatever goes wrong here offers nothing: a shell must never show an error of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

import typer

MOST = 200
"""Maximum number of values that are offered."""


def offering(values: Callable[[typer.Context, str], Iterable[str]]) -> Callable[[typer.Context, str], list[str]]:
    """A function that gives values, as typer takes it: those that begin with what was typed."""

    @wraps(values)
    def offered(ctx: typer.Context, incomplete: str) -> list[str]:
        with suppress(Exception):
            return [value for value in values(ctx, incomplete) if value.startswith(incomplete)][:MOST]
        return []

    offered.__annotations__ = {"ctx": typer.Context, "incomplete": str, "return": list[str]}
    return offered


@offering
def kinds(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """What `prunectl list` lists."""
    from prunectl.api.listing import kinds

    return kinds()


@offering
def listed(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The names of the kind that was typed before."""
    from prunectl.api.listing import names

    return names(ctx.params["what"])


@offering
def studies(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Study files here and in the directory that was typed, and the studies that were installed."""
    from prunectl.api.studies import shipped, studies_here

    here = [*studies_here(), *studies_here(Path(incomplete).parent)]
    return [*dict.fromkeys(map(str, here)), *shipped()]


@offering
def tables(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """What can be compared: studies, results files, published tables."""
    from prunectl.results.published.index import names

    folder = Path(incomplete).parent
    files = [path for kind in ("csv", "json", "parquet") for path in sorted(folder.glob(f"*.{kind}"))]
    return [*studies(ctx, incomplete), *map(str, files), *(f"published:{name}" for name in names())]


@offering
def profiles(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The profiles of the study that was typed."""
    return list(_document(ctx).get("profile", {}))


@offering
def keys(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The keys of the study that was typed, and those that every study can have, each with its equals sign."""
    from prunectl.study.jsonschema import json_schema

    return [f"{key}=" for key in dict.fromkeys([*_keys(_document(ctx)), *_schema_keys(json_schema())])]


def _keys(table: dict[str, Any], head: str = "") -> Iterable[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{head}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for place, inner in enumerate(value):
                yield from _keys(inner, f"{head}{key}[{place}].")
        else:
            yield f"{head}{key}"


def _schema_keys(schema: dict[str, Any]) -> Iterable[str]:
    """The keys of the tables that a study has once: of lists of tables, only the study has the places."""
    for key, value in schema.get("properties", {}).items():
        inner = value
        if "$ref" in value:
            inner = schema["$defs"][value["$ref"].rpartition("/")[2]]
        yield from (f"{key}.{name}" for name in inner.get("properties", {}))


@offering
def selectors(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """What selects trials of the study that was typed: its arms' columns with their values, after any comma."""
    from prunectl.study.arms import expand
    from prunectl.study.load import load

    study = load(_file(ctx)).study
    head = incomplete.rpartition(",")[0] + "," if "," in incomplete else ""
    values: dict[str, None] = {}
    for arm in expand(study.prune, study.model.init):
        for column, cell in arm.columns().items():
            if isinstance(cell, str) and "," not in cell:
                values[f"{head}{column}={cell}"] = None
        if arm.given and "," not in arm.given:
            values[f"{head}label={arm.given}"] = None
    sparsities = [f"{head}sparsity={sparsity:g}" for sparsity in study.sweep.asked]
    return [*values, *sparsities, *(f"{head}seed={seed}" for seed in study.sweep.seeds_of())]


@offering
def artefacts(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The keys of the store."""
    from prunectl.api.session import open_store

    return sorted(open_store(ctx.params.get("store")).keys())


@offering
def steps(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The arms of the last run in this directory, the steps that failed, and the keys of the store."""
    from prunectl.api.log import session_here
    from prunectl.api.session import open_store
    from prunectl.store import layout

    store = open_store(ctx.params.get("store"))
    session = session_here(store, warn=lambda text: None)
    arms = list(session.plan.arms) if session else []
    return [*arms, *sorted(store.listed(layout.FAILURES)), *sorted(store.keys())]


def among(*values: str) -> Callable[[typer.Context, str], list[str]]:
    """Offers fixed values."""
    return offering(lambda ctx, incomplete: values)


@offering
def devices(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Kinds of device. Which GPUs there are, only torch knows, and it is slow to import."""
    return ("auto", "cpu", "cuda", "cuda:0", "cuda:0,1")


@offering
def charts(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The charts of the report of the study that was typed."""
    from prunectl.api.results import results_of
    from prunectl.api.session import open_study
    from prunectl.report.charts import charts
    from prunectl.results.claims import verdicts

    results = results_of(open_study(_file(ctx), store=ctx.params.get("store")))
    sections = charts(results, verdicts(results), secondary=True)
    return [chart.name for section in sections.values() for chart in section]


@offering
def executors(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The executors."""
    from prunectl.catalog.lookup import names

    return names("executors")


@offering
def trackers(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The trackers."""
    from prunectl.catalog.lookup import names

    return names("trackers")


@offering
def datasets(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The data sets."""
    from prunectl.catalog.lookup import names

    return names("datasets")


def _file(ctx: typer.Context) -> Path:
    """The study that was typed. While an option lacks its value, typer leaves every argument in `args`."""
    from prunectl.api.studies import study_file

    return study_file(ctx.params.get("study") or (ctx.params.get("studies") or ctx.args)[0])


def _document(ctx: typer.Context) -> dict[str, Any]:
    """The tables of the study that was typed; empty before it is."""
    import tomli

    with suppress(Exception):
        return tomli.loads(_file(ctx).read_text(encoding="utf-8"))
    return {}
