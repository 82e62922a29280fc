"""The root of the command line and its one error boundary. Every command is a file next to this one."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, Any

import typer
import typer.core

from prunectl.base.errors import InterruptError, PrunectlError, described
from prunectl.base.version import __version__
from prunectl.cli import cache, compare, doctor, export, judge, list_, new, plan, report, run, schema, stage, streams
from prunectl.cli.console import say

ENDING = [number for number in signal.Signals if number.name in ("SIGTERM", "SIGHUP")]
"""How a cluster, a service manager or a closed terminal ends a command. Not all systems have both."""


class Commands(typer.core.TyperGroup):
    """The commands. Exceptions that typer would end a command with, without a word, are handled before it sees them."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise InterruptError("interrupted") from None
        except EOFError as error:
            raise RuntimeError("an end of file that nobody handled") from error
        return result


app = typer.Typer(
    name="prunectl",
    cls=Commands,
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
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Declarative neural-network pruning studies: one study file, one honest table."""
    if debug:
        os.environ["PRUNECTL_DEBUG"] = "1"


app.command("run")(run.run)
app.command("plan")(plan.plan)
for name in stage.HELP:
    app.command(name)(stage.command(name))
app.command("report")(report.report)
app.command("judge")(judge.judge)
app.command("export")(export.export)
app.command("compare")(compare.compare)
app.add_typer(cache.app, name="cache")
app.command("list")(list_.list_)
app.command("schema")(schema.schema)
app.command("new")(new.new)
app.command("doctor")(doctor.doctor)


UNUSED = {"PYDANTIC_DISABLE_PLUGINS": "__all__", "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}
"""Turns off that pydantic and torch look for plug-ins of their own in every installed package. Here there is no use for
them, and a single malformed entry point, of any package, would end every command when pydantic or torch is imported."""


def main() -> None:
    """Run the command line. What a user can fix is a short message; a traceback is a bug."""
    streams.prepare()
    for name, off in UNUSED.items():
        os.environ.setdefault(name, off)
    listen()
    try:
        app()
    except PrunectlError as error:
        if os.environ.get("PRUNECTL_DEBUG"):
            raise
        explain(error)
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("PRUNECTL_DEBUG") or not (plug_in := in_plug_in(error)):
            raise
        explain(plug_in)
        sys.exit(plug_in.exit_code)


def in_plug_in(error: Exception) -> PrunectlError | None:
    """What an exception out of a plug-in's code is to a user, or None if it is a mistake of prunectl."""
    from prunectl.catalog.registered import raised_in_plug_in

    if not raised_in_plug_in(error):
        return None
    hint = "fix or uninstall the plug-in; `prunectl --debug ...` shows the traceback"
    return PrunectlError(f"a plug-in failed: {described(error, full_path=True)}", hint=hint)


def listen() -> None:
    """Handle the signals that end a command as Ctrl-C, except one that is ignored, as SIGHUP is under nohup."""
    for number in ENDING:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    """Handle only the first signal: often two arrive, and the second must not interrupt the clean-up."""
    for ending in ENDING:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


def explain(error: PrunectlError) -> None:
    """Print an error: what is wrong, every problem with its place, what to do next."""
    say(f"error: {error}")
