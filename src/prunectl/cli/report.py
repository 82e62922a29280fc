"""`prunectl report`: what there is of a study, as a page or as a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, get_args

import typer

from prunectl.base.errors import PrunectlError, nearest
from prunectl.cli import options
from prunectl.cli.console import say
from prunectl.cli.session import open_session, results_of
from prunectl.cli.watch import clock, follow
from prunectl.report.formats import FORMATS
from prunectl.results.statistics import Center

Format = Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")]


def report(
    studies: Annotated[list[Path], typer.Argument(metavar="STUDY...", help="Study files.", show_default=False)],
    format_: Format = "html",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is stdout [default: NAME.FORMAT]."),
    ] = None,
    chart: Annotated[
        str | None,
        typer.Option("--chart", metavar="NAME", help="Of svg and png: one chart alone; a wrong NAME lists them."),
    ] = None,
    center: Annotated[
        str, typer.Option("--center", metavar="mean|median", help="What stands for the seeds of an accuracy.")
    ] = "mean",
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    set_: options.Set = [],  # noqa: B006  # typer reads it, nothing writes to it
    profile: options.Profile = None,
    only: options.Only = None,
    store: options.Store = None,
    data: options.Data = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow a run that goes on: write the page anew whenever there is more.")
    ] = False,
    every: Annotated[float, typer.Option("--every", min=0.5, metavar="SECONDS", help="How often --watch looks.")] = 5.0,
) -> None:
    """Tell what the store holds of studies. Nothing is computed; what is missing shows as missing."""
    of = checked(format_, chart, center)
    if output is not None and len(studies) > 1:
        raise PrunectlError("--output takes one study", hint="leave it out: each study is written to NAME.FORMAT")
    if watch:
        if format_ != "html" or len(studies) > 1 or str(output) == "-":
            raise PrunectlError("--watch writes the page of one study into a file", hint="leave --format out")
        session = open_session(studies[0], overrides=set_, profile=profile, only=only, store=store, data=data)
        follow(session, output or Path(f"{session.study.name}.html"), every, open_, of)
        return
    from prunectl.report import formats
    from prunectl.results.summary import missing

    for path in studies:
        session = open_session(path, overrides=set_, profile=profile, only=only, store=store, data=data)
        found = results_of(session)
        if unfinished := missing(found.trials):
            say(f"{session.study.name} is not finished: {unfinished}")
        if format_ == "html":
            content: str | bytes = formats.html(found, of, written=clock())
        else:
            content = formats.render(found, format_, chart=chart, center=of)
        body = content if isinstance(content, bytes) else content.encode()
        if output is not None and str(output) == "-":
            sys.stdout.buffer.write(body)
            continue
        name = f"{session.study.name}-{chart}" if chart else session.study.name
        file = output or Path(f"{name}.{FORMATS[format_].suffix}")
        try:
            file.write_bytes(body)
        except OSError as error:
            raise PrunectlError(f"{file} cannot be written: {error.strerror or error}") from error
        say(f"written: {file}")
        if open_:
            typer.launch(str(file))


def checked(format_: str, chart: str | None, center: str) -> Center:
    """Whether format, chart and center go together, before anything is read."""
    for what, name, names in (("format", format_, tuple(FORMATS)), ("center", center, get_args(Center))):
        if name not in names:
            close = nearest(name, names)
            hint = f"did you mean {close}?" if close else None
            raise PrunectlError(f"no {what} {name!r}; there are {', '.join(names)}", hint=hint)
    if chart is not None and not FORMATS[format_].picture:
        raise PrunectlError(f"--chart is for pictures, not for {format_}", hint="add --format svg or --format png")
    if center != "mean" and FORMATS[format_].every_trial:
        raise PrunectlError(f"{format_} holds every trial, none of them a {center}", hint="leave --center out")
    found: Center = "mean" if center == "mean" else "median"
    return found
