"""`prunectl new`: a study, or a criterion, to begin with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from prunectl.base.errors import PrunectlError
from prunectl.cli import complete
from prunectl.cli.console import say

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="The study's name: a-z, 0-9 and hyphens [default: asked for on a terminal].",
        show_default=False,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="STUDY",
        help="Copy this study: a file, or one of `prunectl list studies`.",
        autocompletion=complete.studies,
    ),
]
Criterion = Annotated[
    Path | None,
    typer.Option("--criterion", metavar="FILE.py", help="Write a criterion of one file instead, which a study names."),
]


def new(name: Name = None, from_: From = None, criterion: Criterion = None) -> None:
    """Write a study to begin with, a copy of one, or a criterion.

    NAME.toml runs as it is. Without NAME it asks what the study is about; every question has an answer ready.
    """
    if criterion is None:
        _study(name, from_)
    elif name is not None or from_ is not None:
        raise PrunectlError("`prunectl new` writes a study or a criterion: give NAME or --criterion FILE.py")
    else:
        _criterion(criterion)


def _study(name: str | None, from_: str | None) -> None:
    from prunectl.api.new import new as written

    if name is None:
        from prunectl.cli.ask import asked_choices, asked_name

        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise PrunectlError(
                "no name is given, and there is no terminal to ask on",
                hint="`prunectl new NAME` writes a small study, `prunectl new NAME --from STUDY` a copy",
            )
        name = asked_name()
        choices = asked_choices() if from_ is None else None
        path = written(name, source=from_, choices=choices, warn=say)
    else:
        path = written(name, source=from_, warn=say)
    say(f"wrote {path}; run it with `prunectl run {path}`")


def _criterion(path: Path) -> None:
    from prunectl.api.new_criterion import new_criterion

    reference = new_criterion(path)
    say(f"wrote {path}; in a study next to it write, in [[prune]]:")
    say(f'    criterion = ["magnitude", "{reference}"]')
