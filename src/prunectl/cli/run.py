"""`prunectl run`: everything that is missing, then the table and the report."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prunectl.base.errors import FAILED
from prunectl.cli.ahead import REPORT, import_ahead
from prunectl.cli.console import answer, answer_json, say
from prunectl.cli.download import opened
from prunectl.cli.leave import leave
from prunectl.cli.options import Json, OnMachine, Quiet, Retry, Selected, StudyFile, Track, options

if TYPE_CHECKING:
    from prunectl.api.run import Completed
    from prunectl.api.session import Session
    from prunectl.execute.driver import Tally
    from prunectl.results.table import Results

Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Where the table and the report go [default: results/NAME; with --only, --set or --profile a folder "
        "named after them].",
    ),
]


@options
def run(
    selected: Selected,
    where: OnMachine,
    study: StudyFile = None,
    retry_failed: Retry = False,
    output: Output = None,
    track: Track = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Do what is missing of a study, then print and write its table.

    The report is written too. Steps that are in the store are not done again; after an interruption the same command
    continues.
    """
    run_study(selected, where, study, retry_failed=retry_failed, output=output, track=track, json_=json_, quiet=quiet)


def run_study(
    selected: Selected,
    where: OnMachine,
    study: Path | None,
    *,
    retry_failed: bool = False,
    output: Path | None = None,
    track: str | None = None,
    json_: bool = False,
    quiet: bool = False,
) -> None:
    """The same for a study that a command has found. Raises typer.Exit if not everything of it could be done."""
    from prunectl.api.machine import starting_early
    from prunectl.api.output import save
    from prunectl.api.run import complete
    from prunectl.api.track import tracking
    from prunectl.cli.progress import showing

    machine = where.machine()
    with starting_early(machine):
        session = opened(selected, where, study, "retrain")
    ready(session, output)
    tracked = tracking(session, track, shares=where.share, folder=output, warn=say)
    import_ahead(REPORT)  # after all that can refuse the run: a process ends when its threads have
    completed = complete(session, machine, retry_failed=retry_failed, show=showing(quiet), warn=say, tracked=tracked)
    if completed.tally.left:
        leave(session, completed.tally, json_)
        return
    if json_:
        written = save(session, completed.results, output, warn=say)
        if completed.results.mixture:  # the table for people ends with it
            say(completed.results.mixture)
        answer_json(document(completed, written))
    else:
        show(completed, quiet)
        show_failures(session, completed.tally)
        written = save(session, completed.results, output, warn=say)
        if not quiet:
            say(f"wrote {', '.join(map(str, written))}")
    if tracked is not None and tracked.summary and not quiet:
        say(tracked.summary)
    if not complete_and_sound(completed):
        raise typer.Exit(FAILED)


def complete_and_sound(completed: Completed) -> bool:
    """Whether every trial is done, and no step failed or was skipped: the baselines are steps, but not always rows."""
    tally = completed.tally
    return not tally.failed and not tally.skipped and set(completed.results.trials["status"]) <= {"done"}


def document(completed: Completed, written: list[Path]) -> dict[str, object]:
    """What `--json` prints."""
    from prunectl.results.claims import verdicts

    return {
        "study": completed.results.study.name,
        **_seeds(completed.results),
        "steps": counts(completed),
        "files": [str(path) for path in written],
        "made_on": {of.label: count for of, count in completed.results.made_on.items()},
        "claims": [verdict.to_dict() for verdict in verdicts(completed.results)],
        "trials": completed.results.trials.to_dicts(),
    }


def _seeds(results: Results) -> dict[str, object]:
    """Where seeds are added until claims are settled: the looks, and the number of seeds of each arm."""
    from prunectl.results.granting import seeds_by_arm

    looks = [{"seeds": look.seeds, "alpha": look.alpha} for look in results.study.sweep.looks]
    return {"seeds": {"looks": looks, "granted": seeds_by_arm(results.trials)}} if looks else {}


def counts(completed: Completed) -> dict[str, int]:
    """The number of steps by how they ended."""
    tally = completed.tally
    return {
        "done": len(tally.done),
        "reused": len(tally.reused),
        "failed": len(tally.failed),
        "skipped": len(tally.skipped),
    }


def ready(session: Session, output: Path | None) -> None:
    """Raises PrunectlError before any work if its results could not be written."""
    from prunectl.api.output import folder_of, require_writable

    require_writable(output or folder_of(session, warn=lambda text: None))


def show_failures(session: Session, tally: Tally) -> None:
    """With --debug the traceback of each step that failed; else how to see it."""
    for key in tally.failed:
        failure = session.store.failure(key)
        if failure is not None and failure["detail"]:
            debug = os.environ.get("PRUNECTL_DEBUG")
            say(failure["detail"].rstrip() if debug else f"traceback: prunectl log {key[:12]}")


def show(completed: Completed, quiet: bool) -> None:
    """The table for people."""
    from prunectl.report import text

    answer(text.table(completed.results, shutil.get_terminal_size().columns))
    if not quiet:
        say("steps: " + ", ".join(f"{count} {ending}" for ending, count in counts(completed).items()))
