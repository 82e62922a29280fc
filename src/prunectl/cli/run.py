"""`prunectl run`: everything that is missing, then the table and the report."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prunectl.base.errors import FAILED
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.options import Json, OnMachine, Quiet, Retry, Selected, StudyFile, options

if TYPE_CHECKING:
    from prunectl.api.run import Completed

Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Where the table and the report go [default: results/NAME; with --only, --set or --profile a folder "
        "next to it].",
    ),
]


@options
def run(
    study: StudyFile,
    selected: Selected,
    where: OnMachine,
    retry_failed: Retry = False,
    output: Output = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Do everything of a study that is missing, print its table, and write table and report.

    Steps that are in the store are not done again; after an interruption the same command continues.
    """
    from prunectl.api.report import write
    from prunectl.api.run import complete
    from prunectl.cli.progress import showing

    session = selected.open(study)
    completed = complete(
        session, where.machine(), retry_failed=retry_failed, show=showing(session.plan, quiet), warn=say
    )
    written = write(completed.results, output or selected.results(session.study.name))
    if json_:
        answer_json(document(completed, written))
    else:
        show(completed, written, quiet)
    if set(completed.results.trials["status"]) != {"done"}:
        raise typer.Exit(FAILED)


def document(completed: Completed, written: list[Path]) -> dict[str, object]:
    """What `--json` prints."""
    from prunectl.results.claims import verdicts

    return {
        "study": completed.results.study.name,
        "steps": counts(completed),
        "files": [str(path) for path in written],
        "claims": [verdict.to_dict() for verdict in verdicts(completed.results)],
        "trials": completed.results.trials.to_dicts(),
    }


def counts(completed: Completed) -> dict[str, int]:
    """The number of steps by how they ended."""
    tally = completed.tally
    return {
        "done": len(tally.done),
        "reused": len(tally.reused),
        "failed": len(tally.failed),
        "skipped": len(tally.skipped),
    }


def show(completed: Completed, written: list[Path], quiet: bool) -> None:
    """The table for people, and the files."""
    from prunectl.report import text

    answer(text.table(completed.results, shutil.get_terminal_size().columns))
    if not quiet:
        say("steps: " + ", ".join(f"{count} {ending}" for ending, count in counts(completed).items()))
        say(f"wrote {', '.join(map(str, written))}")
