"""Asking before something is deleted."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from prunectl.base.errors import PrunectlError
from prunectl.cli.console import say

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking, for scripts.")]


def confirmed(question: str, yes: bool) -> bool:
    """Whether to go on: the answer of the person at the terminal, unless `yes`.

    Raises PrunectlError if there is neither.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise PrunectlError("nothing was deleted: there is no terminal to ask on", hint="add --yes to delete")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    say("nothing was deleted")
    return False
