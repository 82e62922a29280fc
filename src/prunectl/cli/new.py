"""`prunectl new`: a study, or a criterion, to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prunectl.base.errors import PrunectlError
from prunectl.cli.console import say

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="The study's name: a-z, 0-9 and hyphens.")]
Criterion = Annotated[
    Path | None,
    typer.Option("--criterion", metavar="FILE.py", help="Write a criterion of one file instead, which a study names."),
]


def new(name: Name = None, criterion: Criterion = None) -> None:
    """Write NAME.toml, a small study that runs as it is, or with --criterion a criterion that a study can name."""
    if criterion is not None:
        if name is not None:
            raise PrunectlError("`prunectl new` writes a study or a criterion: give NAME or --criterion FILE.py")
        _criterion(criterion)
    elif name is None:
        raise PrunectlError(
            "`prunectl new` needs a name", hint="prunectl new my-study, or: prunectl new --criterion mine.py"
        )
    else:
        _study(name)


def _study(name: str) -> None:
    from prunectl.api.new import new as written

    path = written(name)
    say(f"wrote {path}; run it with `prunectl run {path}`")


def _criterion(path: Path) -> None:
    from prunectl.api.new_criterion import new_criterion

    reference = new_criterion(path)
    say(f"wrote {path}; in a study next to it write, in [[prune]]:")
    say(f'    criterion = ["magnitude", "{reference}"]')
