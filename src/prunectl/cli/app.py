"""The root of the command line and its one error boundary. Every verb is a file beside this one."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from prunectl import __version__
from prunectl.base.errors import INTERRUPTED, PrunectlError, StudyError
from prunectl.cli import cache, compare, describe, doctor, export, plan, report, run, stage
from prunectl.cli.console import say

ENDING = [number for number in signal.Signals if number.name in ("SIGTERM", "SIGHUP")]
"""How a cluster, a service manager or a closed terminal ends a command. Not all systems have both."""

app = typer.Typer(
    name="prunectl",
    help="Declarative neural-network pruning studies: one study file, one honest table.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"prunectl {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="The version, and nothing else.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Declarative neural-network pruning studies: one study file, one honest table."""
    if debug:
        os.environ["PRUNECTL_DEBUG"] = "1"


app.command("run")(run.run)
app.command("plan")(plan.plan)
for name in stage.HELP:
    app.command(name)(stage.verb(name))
app.command("report")(report.report)
app.command("export")(export.export)
app.command("compare")(compare.compare)
app.add_typer(cache.app, name="cache")
app.command("list")(describe.list_)
app.command("schema")(describe.schema)
app.command("new")(doctor.new)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line. What a user can mend is a short message; a traceback is a bug."""
    listen()
    try:
        app()
    except PrunectlError as error:
        if os.environ.get("PRUNECTL_DEBUG"):
            raise
        explain(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody listens any more: say nothing
        sys.exit(0)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(INTERRUPTED)


def listen() -> None:
    """Take the signals that end a command as Ctrl-C, but for one that is ignored, as SIGHUP is under nohup."""
    for number in ENDING:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    """Once: they often come in twos, and the second must not cut short what the first has begun."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def explain(error: PrunectlError) -> None:
    """Print an error: what is wrong, every problem with its place, what to do next."""
    say(f"error: {error.message}")
    if isinstance(error, StudyError):
        for problem in error.problems:
            place = f"{problem.where}: " if problem.where else ""
            key = f"{problem.key}: " if problem.key else ""
            say(f"  {place}{key}{problem.message}")
            if problem.hint:
                say(f"      {problem.hint}")
    if error.hint:
        say(f"  {error.hint}")
