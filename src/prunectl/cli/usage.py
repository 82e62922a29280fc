"""What typer finds wrong with a command line, in the words of every other error and with what to type instead."""

from __future__ import annotations

import shlex
from typing import Any

from typer._click.exceptions import ClickException, MissingParameter

from prunectl.base.errors import PrunectlError
from prunectl.cli.examples import EXAMPLES

EXTRA = "Got unexpected extra argument(s) ("
"""How typer's message about arguments begins that a command does not take; they and a bracket follow."""
MOST_EXAMPLES = 2


def wrong_usage(error: ClickException) -> PrunectlError:
    """An error of typer as one of ours."""
    text = error.format_message().rstrip(".")
    message = text[:1].lower() + text[1:]
    ctx = getattr(error, "ctx", None)
    if ctx is None:
        return PrunectlError(message)
    shown = f"`{ctx.command_path} --help` shows what it takes"
    if isinstance(error, MissingParameter):
        message += _meaning(error.param)
        shown = f"{_examples(ctx.command_path)}{shown}"
    elif text.startswith(EXTRA):
        shown = f"{_one_by_one(ctx, text.removeprefix(EXTRA).removesuffix(')'))}{shown}"
    return PrunectlError(message, hint=shown)


def _meaning(param: Any) -> str:
    """What the argument is that was not given."""
    words = (getattr(param, "help", None) or "").rstrip(".")
    return f": {words[:1].lower()}{words[1:]}" if words else ""


def _examples(command: str) -> str:
    """Examples of a command, in front of another hint."""
    lines = EXAMPLES.get(command.removeprefix("prunectl").strip(), ())[:MOST_EXAMPLES]
    return f"for example {' or '.join(f'`prunectl {line}`' for line in lines)}; " if lines else ""


def _one_by_one(ctx: Any, extra: str) -> str:
    """How a command that takes one study does several, in front of another hint; empty for any other command."""
    arguments = [param.name for param in ctx.command.params if param.param_type_name == "argument"]
    first = ctx.params.get("study")
    if arguments != ["study"] or first is None:
        return ""
    commands = " && ".join(f"{ctx.command_path} {shlex.quote(study)}" for study in [str(first), *extra.split()])
    return f"{ctx.command_path} takes one study; for several: `{commands}`; "
