"""`prunectl report --watch`: the page of a run that goes on, written again whenever the store has new results."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from prunectl.api import follow as following
from prunectl.api.report import clock, report
from prunectl.cli.console import say

if TYPE_CHECKING:
    from prunectl.api.session import Session
    from prunectl.results.statistics import Center
    from prunectl.results.table import Results


def follow(session: Session, file: Path, every_s: float, open_: bool, center: Center) -> None:
    """Write the page until no trial is missing. Ctrl-C ends it too, and leaves a page that no longer reloads."""
    reload_s = max(2, math.ceil(every_s))
    latest: Results | None = None
    try:
        for latest in following.follow(session, every_s, warn=say):
            write(latest, file, reload_s if following.going(latest) else 0, center)
            if open_:
                typer.launch(str(file))
                open_ = False
    except KeyboardInterrupt:
        if latest is not None:
            write(latest, file, 0, center)
        say("Stopped watching. Run the same command to continue.")


def write(results: Results, file: Path, reload_s: int, center: Center) -> None:
    """Write the page in one move, so that a browser never reads half of it, and print how far the run is."""
    from prunectl.store.output import write_output

    write_output(file, report(results, center=center, reload_s=reload_s))
    statuses = results.trials["status"]
    done, failed = ((statuses == status).sum() for status in ("done", "failed"))
    say(f"{clock()}  {done} of {len(statuses)} trials done{f', {failed} failed' if failed else ''}: {file}")
