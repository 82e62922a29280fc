"""`prunectl compare`: studies, results files and published numbers held against each other."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean, visible
from prunectl.cli import options
from prunectl.cli.console import say
from prunectl.cli.session import open_session, sound

if TYPE_CHECKING:
    from prunectl.report.comparison_page import Source
    from prunectl.results.compare import Comparison
    from prunectl.results.published.against import Held

PUBLISHED = "published:"
FORMATS = ("text", "html", "json")
MOST = 12
"""So many tables have a colour of their own."""


def compare(
    tables: Annotated[
        list[str],
        typer.Argument(
            metavar="A B...",
            help="Study files, results files (csv, json, parquet), or published:NAME; the first is A.",
            show_default=False,
        ),
    ],
    format_: Annotated[
        str | None,
        typer.Option("--format", "-f", metavar="FORMAT", help="One of text, html, json [default: text]."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write; - is stdout [default: -; comparison.html]."
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
    store: options.Store = None,
    data: options.Data = None,
    json_: options.Json = False,
) -> None:
    """Pair the trials of every table with those of the first by arm, sparsity and seed, and show the differences.

    Published numbers (published:NAME, see `prunectl list published`) stand beside each of the tables.
    """
    format_ = chosen(format_, json_, open_, output)
    ours = [name for name in tables if not name.startswith(PUBLISHED)]
    named = [name.removeprefix(PUBLISHED) for name in tables if name.startswith(PUBLISHED)]
    if not ours or len(tables) < 2:
        raise PrunectlError(
            "a comparison takes two or more tables, at least one of them yours",
            hint="give study files, results files (csv, json, parquet), or published:NAME beside them",
        )
    if len(tables) > MOST:
        raise PrunectlError(f"{len(tables)} tables are too many to compare; {MOST} are the most")
    from prunectl.results.compare import compare as pair
    from prunectl.results.compare import letter
    from prunectl.results.published.against import held
    from prunectl.results.published.index import describe

    for name in named:
        describe(name)  # an unknown one is told now
    read = [source(name, set_, store, data) for name in ours]
    sources, keys = [one for one, _ in read], [key for _, key in read]
    found = pair(*(one.trials for one in sources), names=ours, keys=keys) if len(ours) > 1 else None
    beside = [held(one.trials, name, letter(at)) for name in named for at, one in enumerate(sources)]
    show(rendered(format_, sources, found, beside), format_, output, open_)


def chosen(format_: str | None, json_: bool, open_: bool, output: Path | None) -> str:
    """The format that the options ask for."""
    if json_ and format_ not in (None, "json"):
        raise PrunectlError(f"--json and --format {format_} exclude each other")
    suffix = output.suffix.lower() if output else ""
    found = format_ or ("json" if json_ else "html" if open_ or suffix in (".html", ".htm") else "text")
    if found not in FORMATS:
        raise PrunectlError(
            f"no format {found!r}; there are {', '.join(FORMATS)}", hint=did_you_mean(found, FORMATS, "{}")
        )
    if open_ and (found != "html" or str(output) == "-"):
        raise PrunectlError("--open shows a page: it goes with --format html and a file")
    return found


def source(name: str, overrides: list[str], store: Path | None, data: Path | None) -> tuple[Source, dict[str, Any]]:
    """A table, and the study's keys if it comes from a study file."""
    from prunectl.report.comparison_page import Source
    from prunectl.results.gather import table
    from prunectl.results.table_files import read_table

    path = Path(name)
    if path.suffix != ".toml":
        return Source(name=name, trials=read_table(path)), {}
    session = open_session(path, overrides=overrides, store=store, data=data)
    trials = sound(lambda: table(session.study, session.plan, session.store))
    return Source(name=name, trials=trials, text=session.text), session.study.model_dump(mode="json")


def rendered(format_: str, sources: list[Source], found: Comparison | None, beside: list[Held]) -> str:
    """The comparison in a format."""
    if format_ == "html":
        from prunectl.report import comparison_page

        return comparison_page.build(sources, found, beside)
    if format_ == "json":
        from prunectl.base.text import finite

        return json.dumps(finite(document(found, beside)), indent=1, ensure_ascii=True, allow_nan=False) + "\n"
    import shutil

    from prunectl.report.comparison_text import lines

    width = shutil.get_terminal_size().columns
    written = lines([one.name for one in sources], found, beside, width)
    return "".join(visible(f"{line}\n", keep="\n") for line in written)


def document(found: Comparison | None, beside: list[Held]) -> dict[str, Any]:
    """What `--json` prints: one table beside published numbers is only that."""
    if found is None and len(beside) == 1:
        return beside[0].to_dict()
    return {**(found.to_dict() if found else {}), "published": [one.to_dict() for one in beside]}


def show(text: str, format_: str, output: Path | None, open_: bool) -> None:
    """The comparison where it is wanted."""
    if str(output) == "-" or (output is None and format_ != "html"):
        sys.stdout.write(text)
        return
    file = output or Path("comparison.html")
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PrunectlError(f"{file} cannot be written: {error.strerror or error}") from error
    say(f"written: {file}")
    if open_:
        typer.launch(str(file))
