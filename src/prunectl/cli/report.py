"""`prunectl report`: what the store holds of a study, as a page, a table or pictures."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from prunectl.api.output import file_of
from prunectl.api.report import FORMATS
from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean
from prunectl.cli import complete
from prunectl.cli.console import answer_bytes, say
from prunectl.cli.options import Selected, options
from prunectl.results.statistics import Center

if TYPE_CHECKING:
    from prunectl.api.session import Session

TABLES = ("csv", "parquet")
PICTURES, EVERY_TRIAL = ("svg", "png", "pdf"), ("csv", "json", "parquet")

Studies = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[STUDY]...",
        help="Study files, or names of `prunectl list studies` [default: the last run in this directory].",
        show_default=False,
        autocompletion=complete.studies,
    ),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        help=f"One of {', '.join(FORMATS)}.",
        autocompletion=complete.among(*FORMATS),
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is stdout [default: in results/NAME]."),
]
Chart = Annotated[
    str | None,
    typer.Option(
        "--chart",
        metavar="NAME",
        help="With svg, png or pdf: write only this chart. An unknown NAME lists the charts.",
        autocompletion=complete.charts,
    ),
]
Centre = Annotated[
    str,
    typer.Option(
        "--center",
        metavar="mean|median",
        help="How accuracies are averaged over seeds.",
        autocompletion=complete.among("mean", "median"),
    ),
]
Curves = Annotated[
    bool, typer.Option("--curves", help="With csv or parquet: the training curves, a row for each evaluation.")
]
Open = Annotated[bool, typer.Option("--open", help="Show it in the browser.")]
Watch = Annotated[
    bool, typer.Option("--watch", help="Follow a run: write the page again whenever there are new results.")
]
Every = Annotated[float, typer.Option("--every", min=0.5, metavar="SECONDS", help="How often --watch looks.")]


@options
def report(
    selected: Selected,
    studies: Studies = None,
    format_: Format = "html",
    output: Output = None,
    chart: Chart = None,
    center: Centre = "mean",
    curves: Curves = False,
    open_: Open = False,
    watch: Watch = False,
    every: Every = 5.0,
) -> None:
    """Write the report of studies from what is stored.

    Nothing is computed; what is missing is shown as missing.

    Several studies are one page (with other formats a file each): three networks of one paper next to each other.
    Without a STUDY it is the last run in this directory, with its profile, overrides and selection.
    """
    average = checked(format_, chart, center)
    if curves and format_ not in TABLES:
        raise PrunectlError(f"--curves is a table, not {format_}", hint="add --format csv or --format parquet")
    studies = studies or []
    if output is not None and len(studies) > 1 and format_ != "html":
        raise PrunectlError("--output takes one study", hint="leave it out: each study is written to results/NAME")
    if watch:
        if format_ != "html" or len(studies) > 1 or str(output) == "-":
            raise PrunectlError("--watch writes the page of one study to a file", hint="leave out --format")
        from prunectl.cli.watch import follow

        session = opened(selected, studies)[0]
        follow(session, output or file_of(session, name_of("html"), warn=say), every, open_, average)
        return
    sessions = opened(selected, studies)
    if len(sessions) > 1 and format_ == "html":
        _write_together(sessions, output, average, open_)
        return
    for session in sessions:
        _write(session, format_, output, "curves" if curves else chart, average, open_)


def opened(selected: Selected, studies: list[Path]) -> list[Session]:
    """The studies that are named, or that of the last run in this directory. Raises PrunectlError if there is none."""
    if studies:
        return [selected.open(path) for path in studies]
    from prunectl.api.runs import last, reopen
    from prunectl.api.studies import no_study

    if selected.only or selected.set_ or selected.profile is not None:
        raise no_study("; --only, --set and --profile need one")
    store = selected.open_store()
    run = last(store, Path.cwd(), warn=say)
    if run is None:
        raise no_study(f", and no run in this directory is recorded in the store {store}")
    session = reopen(run, store, warn=say)
    say(f"the last run in this directory: {shlex.join([str(session.path), *session.selection.options()])}")
    return [session]


def name_of(format_: str, chart: str | None = None) -> str:
    """The name of a report's file, as `run` calls it too: report.html, table.csv, report.tex, top1-sparsity.svg."""
    stem = chart or ("table" if format_ in EVERY_TRIAL else "report")
    return f"{stem}.{'tex' if format_ == 'latex' else format_}"


def _write_together(sessions: list[Session], output: Path | None, center: Center, open_: bool) -> None:
    """Several studies on one page."""
    from prunectl.api.report import together
    from prunectl.api.results import results_of
    from prunectl.results.coverage import missing
    from prunectl.store.output import write_output

    found = [results_of(session, warn=say) for session in sessions]
    for results in found:
        if unfinished := missing(results.trials):
            say(f"{results.study.name} is not finished: {unfinished}")
    content = together(found, center=center)
    if str(output) == "-":
        answer_bytes(content)
        return
    file = output or Path("studies.html")
    write_output(file, content)
    say(f"wrote {file}")
    if open_:
        typer.launch(str(file))


def _write(session: Session, format_: str, output: Path | None, chart: str | None, center: Center, open_: bool) -> None:
    from prunectl.api.report import curves
    from prunectl.api.report import report as rendered
    from prunectl.api.results import results_of
    from prunectl.results.coverage import missing
    from prunectl.store.output import write_output

    results = results_of(session, warn=say)
    if unfinished := missing(results.trials):
        say(f"{session.study.name} is not finished: {unfinished}")
    if results.mixture:
        say(results.mixture)
    of_curves = format_ in TABLES and chart is not None
    content = curves(results, format_) if of_curves else rendered(results, format_, chart=chart, center=center)
    if str(output) == "-":
        answer_bytes(content)
        return
    file = output or file_of(session, name_of(format_, chart), warn=say)
    write_output(file, content)
    say(f"wrote {file}")
    if open_:
        typer.launch(str(file))


def checked(format_: str, chart: str | None, center: str) -> Center:
    """The average that is asked for. Raises PrunectlError for options that do not go together."""
    for what, name, names in (("format", format_, FORMATS), ("center", center, get_args(Center))):
        if name not in names:
            hint = did_you_mean(name, names, "{}")
            raise PrunectlError(f"no {what} {name!r}; there are {', '.join(names)}", hint=hint)
    if chart is not None and format_ not in PICTURES:
        raise PrunectlError(f"--chart is for pictures, not for {format_}", hint="add --format svg, png or pdf")
    if center != "mean" and format_ in EVERY_TRIAL:
        raise PrunectlError(f"{format_} holds every trial, none of them a {center}", hint="leave out --center")
    average: Center = "mean" if center == "mean" else "median"
    return average
