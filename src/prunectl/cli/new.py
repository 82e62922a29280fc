"""`prunectl new`: a study to begin with."""

from __future__ import annotations

from typing import Annotated

import typer

from prunectl.cli.console import say

Name = Annotated[str, typer.Argument(metavar="NAME", help="The study's name: a-z, 0-9 and hyphens.")]


def new(name: Name) -> None:
    """Write NAME.toml, a small study that runs as it is, to begin with."""
    from prunectl.api.new import new as written

    path = written(name)
    say(f"wrote {path}; run it with `prunectl run {path}`")
