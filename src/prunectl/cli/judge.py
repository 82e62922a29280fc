"""`prunectl judge`: a new criterion against the included ones, on one page."""

from __future__ import annotations

from typing import Annotated

import typer

from prunectl.base.errors import DataError, StudyError
from prunectl.cli.console import say
from prunectl.cli.options import Json, OnMachine, Quiet, Selected, options
from prunectl.cli.run import Output, run_study

Criterion = Annotated[
    str, typer.Argument(metavar="FILE.py[:CLASS]", help="The file with the criterion, and its class if it has several.")
]
On = Annotated[str, typer.Option("--on", metavar="NAME", help="The data set: digits, mnist or cifar10 (an hour).")]

Atlas = Annotated[
    bool,
    typer.Option("--atlas", help="Train only this criterion, and rank it in the shipped atlas of the included ones."),
]


@options
def judge(
    selected: Selected,
    where: OnMachine,
    criterion: Criterion,
    on: On = "digits",
    atlas: Atlas = False,
    output: Output = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a study of your own criterion against the included ones.

    Writes the study next to the file: exactness, ties, collapse, ablations, cost, rank, verdicts. On digits
    that takes some minutes on two cores; with --atlas about one.
    """
    from prunectl.api.judge import judgement

    study = judgement(criterion, on, atlas=atlas)
    say(f"the study is {study.path}")
    try:
        run_study(selected, where, study.path, output=output, json_=json_, quiet=quiet)
    except (StudyError, DataError) as error:  # before the first step
        if study.new:
            study.path.unlink()
            removed = f"{study.path.name}, which this command had written, is removed: nothing could be run"
            error.hint = f"{error.hint}; {removed}" if error.hint else removed
        raise
