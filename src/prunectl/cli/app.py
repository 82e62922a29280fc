"""The root of the command line and its one error boundary. Every command is a file next to this one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer import Abort
from typer._click.exceptions import ClickException, NoArgsIsHelpError

from prunectl.base import ctrl_c
from prunectl.base.errors import InterruptError, PrunectlError, described
from prunectl.base.version import __version__
from prunectl.cli import (
    cache,
    compare,
    data,
    doctor,
    export,
    judge,
    latency,
    list_,
    log,
    new,
    plan,
    report,
    run,
    schema,
    sensitivity,
    stage,
    streams,
)
from prunectl.cli.console import say
from prunectl.cli.help import DO, KEEP, PREPARE, SEE, Command, Group
from prunectl.cli.signals import listen
from prunectl.cli.usage import wrong_usage


class Commands(Group):
    """The commands. Exceptions that typer would end a command with, without a word, are handled before it sees them."""

    def main(self, *arguments: Any, **more: Any) -> Any:
        """Run the command line. A wrong one is an error like any other; a group without a command shows its help."""
        try:
            code = super().main(*arguments, **{**more, "standalone_mode": False})
        except Abort:
            raise InterruptError("interrupted") from None
        except NoArgsIsHelpError as bare:
            sys.stdout.write(f"{bare.format_message()}\n")
            code = None
        except ClickException as error:
            raise wrong_usage(error) from None
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)

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
    help="Neural-network pruning studies: one study file, one honest table.",
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
    """Neural-network pruning studies: one study file, one honest table."""
    if debug:
        os.environ["PRUNECTL_DEBUG"] = "1"


def _add(panel: str, name: str, command: Callable[..., None]) -> None:
    app.command(name, cls=Command, rich_help_panel=panel)(command)


_add(DO, "run", run.run)
_add(DO, "plan", plan.plan)
for name in stage.HELP:
    _add(DO, name, stage.command(name))
_add(DO, "latency", latency.latency)
_add(DO, "sensitivity", sensitivity.sensitivity)
_add(DO, "judge", judge.judge)
_add(SEE, "report", report.report)
_add(SEE, "log", log.log)
_add(SEE, "compare", compare.compare)
_add(SEE, "export", export.export)
_add(PREPARE, "new", new.new)
_add(PREPARE, "list", list_.list_)
_add(PREPARE, "schema", schema.schema)
_add(PREPARE, "doctor", doctor.doctor)
app.add_typer(data.app, name="data", rich_help_panel=PREPARE)
app.add_typer(cache.app, name="cache", rich_help_panel=KEEP)


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
        app(prog_name="prunectl")
    except PrunectlError as error:
        if os.environ.get("PRUNECTL_DEBUG"):
            raise
        explain(error)
        sys.exit(error.exit_code)
    except BaseException as error:  # a plug-in may raise anything; `sys.exit` ends a command, too
        ctrl_c.pass_on(error)
        if os.environ.get("PRUNECTL_DEBUG") or not (plug_in := in_plug_in(error)):
            raise
        explain(plug_in)
        sys.exit(plug_in.exit_code)


def in_plug_in(error: BaseException) -> PrunectlError | None:
    """What an exception out of a plug-in's code is to a user, or None if it is a mistake of prunectl."""
    from prunectl.catalog.plug_ins import raised_in_plug_in

    if not raised_in_plug_in(error):
        return None
    hint = "fix or uninstall the plug-in; `prunectl --debug ...` shows the traceback"
    return PrunectlError(f"a plug-in failed: {described(error, full_path=True)}", hint=hint)


def explain(error: PrunectlError) -> None:
    """Print an error: what is wrong, every problem with its place, what to do next."""
    say(f"error: {error}")
