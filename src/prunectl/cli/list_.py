"""`prunectl list`: what a study can name."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prunectl.api.listing import PUBLISHED, STUDIES
from prunectl.base.errors import PrunectlError
from prunectl.base.text import UNKNOWN, and_list, did_you_mean, plural
from prunectl.cli import complete
from prunectl.cli.columns import columns, with_sentences
from prunectl.cli.console import answer, answer_json
from prunectl.cli.options import Json, options

if TYPE_CHECKING:
    from prunectl.api.listing import Listed, Published
    from prunectl.api.studies import Shipped

What = Annotated[
    str | None,
    typer.Argument(
        metavar="KIND",
        help="criteria, scopes, models, datasets, ..., published, studies [default: an overview of all].",
        show_default=False,
        autocompletion=complete.kinds,
    ),
]
Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="Only this one; of a published table its numbers.",
        show_default=False,
        autocompletion=complete.listed,
    ),
]
PERCENT = frozenset({"sparsity", "top1", "top5", "median", "sd", "min", "max", "validation"})


@options
def list_(what: What = None, name: Name = None, json_: Json = False) -> None:
    """List what a study can name, and the studies to run.

    Without KIND it is an overview: every kind with its names.
    """
    if what is None:
        _overview(json_)
    elif what == PUBLISHED and name is not None:
        _numbers(name, json_)
    else:
        _kind(what, name, json_)


def _overview(json_: bool) -> None:
    from prunectl.api.listing import kinds, names

    every = {kind: names(kind) for kind in kinds()}
    if json_:
        answer_json(every)
        return
    width = max(map(len, every)) + 2
    for kind, listed in every.items():
        text = textwrap.fill(
            ", ".join(listed),
            shutil.get_terminal_size().columns,
            initial_indent=f"{kind:<{width}}",
            subsequent_indent=" " * width,
            break_on_hyphens=False,
        )
        answer(text)
    answer("\n`prunectl list KIND` explains the names of one kind, and lists their parameters.")


def _kind(kind: str, name: str | None, json_: bool) -> None:
    rows, shown = _rows(kind, alone=name is not None)
    if name is not None:
        rows = _chosen(kind, rows, name)
    if json_:
        answer_json([_document(row) for row in rows])
        return
    for line in shown(rows):
        answer(line)


def _rows(kind: str, *, alone: bool) -> tuple[list[Any], Callable[[Any], Iterator[str]]]:
    """What is listed, and how its lines are made; a study that is shown alone has several."""
    from prunectl.api.listing import entries, published
    from prunectl.api.studies import described

    if kind == PUBLISHED:
        return published(), _tables
    if kind == STUDIES:
        return described(), _study if alone else _studies
    return entries(kind), _entries


def _chosen(kind: str, rows: list[Any], name: str) -> list[Any]:
    chosen = [row for row in rows if row.name == name]
    if not chosen:
        names = [row.name for row in rows]
        raise PrunectlError(f"no {name!r} among the {kind}: {', '.join(names)}", hint=did_you_mean(name, names, "{}"))
    return chosen


def _entries(listed: Sequence[Listed]) -> Iterator[str]:
    width = max(len(entry.name) for entry in listed)
    for entry in listed:
        shown = [f"{key} must be given" for key in entry.required]
        shown += [f"{key} = {_shown(value)}" for key, value in entry.parameters.items()]
        parameters = ", ".join(shown)
        yield f"{entry.name:<{width}}  {entry.summary}" + (f"  [{parameters}]" if parameters else "")


def _studies(listed: Sequence[Shipped]) -> Iterator[str]:
    rows = [(study.name, study.model, study.dataset, study.source) for study in listed]
    yield from with_sentences(["study", "network", "data set", "of"], rows)
    yield ""
    yield "Run one:    prunectl run NAME"
    yield "Change one: prunectl new MINE --from NAME"


def _study(listed: Sequence[Shipped]) -> Iterator[str]:
    for study in listed:
        yield f"{study.name}: {study.title}"
        yield f"  of        {study.source}"
        yield f"  network   {study.model}"
        yield f"  data set  {study.dataset}"
        yield f"  profiles  {', '.join(study.profiles) or 'none'}"
        yield f"  file      {study.path}"


def _tables(listed: Sequence[Published]) -> Iterator[str]:
    rows = [(table.name, f"{table.rows:,}", _few(table.datasets), _few(table.models), table.title) for table in listed]
    yield from with_sentences(["table", "rows", "data set", "network", "what"], rows)
    yield ""
    yield "Source and numbers of one: prunectl list published NAME"
    yield "Next to your own results:  prunectl compare STUDY published:NAME"


def _few(names: Sequence[str]) -> str:
    """One or two names; of more, the first and how many others."""
    return and_list(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"


def _numbers(name: str, json_: bool) -> None:
    """The numbers of a published table; what is the same in every row is printed once."""
    from prunectl.api.listing import numbers

    table, rows = numbers(name)
    if json_:
        answer_json({**asdict(table), "numbers": rows})
        return
    same = [key for key in rows[0] if len(rows) > 1 and len({str(row[key]) for row in rows}) == 1]
    shared = ", ".join(f"{key} {_cell(key, rows[0][key])}" for key in same)
    number = plural(len(rows), "row") + (f", all of them with {shared}" if shared else "")
    note = [f"note: {table.warning}"] if table.warning else []
    for text in (f"{table.name}: {table.title}", table.source, *note, number):
        answer(textwrap.fill(text, shutil.get_terminal_size().columns, subsequent_indent="  ", break_on_hyphens=False))
    head = [key for key in rows[0] if key not in same]
    answer("\n" + "\n".join(columns(head, [[_cell(key, row[key]) for key in head] for row in rows])))


def _cell(key: str, value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, list):
        return " ".join(_cell("top1", each) for each in value)
    if isinstance(value, float):
        return f"{value * 100:.6g} %" if key in PERCENT else f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _document(row: Listed | Published | Shipped) -> dict[str, Any]:
    """A row for programs; of parameters the names alone, those that must be given first."""
    document = asdict(row)
    if "parameters" in document:
        document["parameters"] = [*document.pop("required"), *document["parameters"]]
    return document


def _shown(value: object) -> str:
    """A default as a study file would have it; TOML has no null."""
    from prunectl.base.cells import cell

    return "not given" if value is None else cell(value) if not isinstance(value, str) else f'"{value}"'
