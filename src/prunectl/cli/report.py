"""`prunectl report`: what there is of a study, as a page or as a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from prunectl.base.errors import PrunectlError, nearest
from prunectl.cli import options
from prunectl.cli.console import say
from prunectl.cli.session import open_session

FORMATS = ("html", "md", "csv", "json", "parquet", "latex", "svg", "png")
Format = Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")]


def report(
    studies: Annotated[list[Path], typer.Argument(metavar="STUDY...", help="Study files.", show_default=False)],
    format_: Format = "html",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is stdout [default: NAME.FORMAT]."),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
    profile: options.Profile = None,
    only: options.Only = None,
    store: options.Store = None,
    data: options.Data = None,
) -> None:
    """Tell what the store holds of studies. Nothing is computed; what is missing shows as missing."""
    if format_ not in FORMATS:
        close = nearest(format_, FORMATS)
        raise PrunectlError(
            f"no format {format_!r}; there are {', '.join(FORMATS)}", hint=f"did you mean {close}?" if close else None
        )
    if output is not None and len(studies) > 1:
        raise PrunectlError("--output takes one study", hint="leave it out: each study is written to NAME.FORMAT")
    from prunectl.report import formats
    from prunectl.results.gather import results

    for path in studies:
        session = open_session(path, overrides=set_, profile=profile, only=only, store=store, data=data)
        found = results(session.study, session.text, session.plan, session.store, set())
        content = formats.render(found, format_)
        body = content if isinstance(content, bytes) else content.encode()
        if output is not None and str(output) == "-":
            sys.stdout.buffer.write(body)
            continue
        file = output or Path(f"{session.study.name}.{'tex' if format_ == 'latex' else format_}")
        try:
            file.write_bytes(body)
        except OSError as error:
            raise PrunectlError(f"{file} cannot be written: {error.strerror or error}") from error
        say(f"written: {file}")
        if open_:
            typer.launch(str(file))
