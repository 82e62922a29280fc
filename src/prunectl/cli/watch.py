"""`prunectl report --watch`: the page of a run that goes on, written anew whenever the store has gained something."""

from __future__ import annotations

import datetime
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from prunectl.base.errors import PrunectlError
from prunectl.cli.console import say
from prunectl.cli.session import Session, results_of

if TYPE_CHECKING:
    from prunectl.results.statistics import Center
    from prunectl.results.table import Results

IDLE = 4.0
"""Writing takes at most one part in five of the time: the run needs the machine more."""


def follow(session: Session, file: Path, every_s: float, open_: bool, center: Center = "mean") -> None:
    """Write the page until every trial is there. Ctrl-C ends it too, and leaves a page that no longer reloads."""
    reload_s = max(2, math.ceil(every_s))
    known: frozenset[str] | None = None
    found: Results | None = None
    spent_s = 0.0
    try:
        while True:
            if (there := outcomes(session)) != known:
                begun, known = time.monotonic(), there
                found = results_of(session)
                going = "missing" in found.trials["status"]
                write(found, file, reload_s if going else 0, center)
                if open_:
                    typer.launch(str(file))
                    open_ = False
                if not going:
                    return
                spent_s = time.monotonic() - begun
            time.sleep(max(every_s, IDLE * spent_s))
    except KeyboardInterrupt:
        if found is not None:
            write(found, file, 0, center)
        say("no longer watched; the same command goes on")


def outcomes(session: Session) -> frozenset[str]:
    """The steps that are done or have failed."""
    store = session.store
    return frozenset(key for key in session.plan.steps if store.has(key) or store.failure(key) is not None)


def write(found: Results, file: Path, reload_s: int, center: Center) -> None:
    """The page at once, so that a browser never reads half of it, and a line that says so."""
    from prunectl.report import formats
    from prunectl.store.atomic import write_whole

    written = clock()
    try:
        write_whole(file, formats.html(found, center, written=written, reload_s=reload_s).encode())
    except OSError as error:
        raise PrunectlError(f"{file} cannot be written: {error.strerror or error}") from error
    trials = found.trials["status"]
    done, failed = ((trials == status).sum() for status in ("done", "failed"))
    say(f"{written}  {done} of {len(trials)} trials done{f', {failed} failed' if failed else ''}: {file}")


def clock() -> str:
    """The time by this machine's clock, with its offset."""
    return datetime.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
