"""Running a study, or the part of it up to a stage."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prunectl.api.damage import undamaged, warn_in_log
from prunectl.api.latency import with_latencies
from prunectl.api.machine import Machine, deadline, starting_early
from prunectl.api.make import make_looking, silently
from prunectl.api.results import results_now, rows_of
from prunectl.api.session import open_study
from prunectl.api.track import tracking

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.missing import Show
    from prunectl.api.session import Overrides, Place, Selectors, Session
    from prunectl.api.track import Tracking
    from prunectl.catalog.executor import Executor
    from prunectl.catalog.tracker import Tracker
    from prunectl.execute.driver import Listener, Tally
    from prunectl.plan.stage import Stage
    from prunectl.results.table import Results

RECOMPUTED = "it is recomputed now"


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A run: its results, and how its steps ended."""

    results: Results
    tally: Tally


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A run up to a stage: what the stage made, and how its steps ended."""

    rows: list[dict[str, Any]]
    tally: Tally


def run(
    study: Place,
    *,
    only: Selectors = (),
    set: Overrides = (),
    profile: str | None = None,
    jobs: int | None = None,
    device: str = "auto",
    threads: int = 1,
    executor: str | Executor | None = None,
    until: str | None = None,
    store: Place | None = None,
    data: Place | None = None,
    retry_failed: bool = False,
    track: str | Tracker | None = None,
    listen: Listener | None = None,
) -> Results:
    """Do every step of a study that is missing, and return its results: `results.trials` has one row per trial.

    The arguments are the options of `prunectl run`. A trial that failed is a row with its reason, not an exception.
    `listen` is called with each `Outcome` and `Progress` of a step, with `WorkersChanged`, and while it waits
    with `Going`.
    Nothing is written except to the store, and where trials are tracked, to `tracking/` of the results folder.
    Raises PrunectlError (or one of its kinds) for what a user can fix; `hint` is how.
    """
    moment = deadline(until)
    machine = Machine(device=device, jobs=jobs, threads=threads, executor=executor, until=moment)
    with starting_early(machine):
        session = open_study(study, only=only, set=set, profile=profile, store=store, data=data)
    show: Show = silently if listen is None else lambda plan, todo: nullcontext(listen)
    tracked = tracking(session, track)
    return complete(session, machine, retry_failed=retry_failed, show=show, tracked=tracked).results


def complete(
    session: Session,
    machine: Machine,
    *,
    retry_failed: bool = False,
    show: Show = silently,
    warn: Warn = warn_in_log,
    tracked: Tracking | None = None,
) -> Completed:
    """Do every step of a study that is missing, and read what it made.

    Trials are logged by `tracked` as they are done, and those that were done before at the end.
    Where seeds are added until claims are settled, that is repeated until they are, or the last look is taken.
    """
    if tracked is not None:
        show = tracked.showing(session, show)

    def attempt() -> Completed:
        after, tally = make_looking(session, "retrain", machine, retry_failed=retry_failed, show=show, warn=warn)
        after = with_latencies(after)
        if tracked is not None and not tally.left:
            tracked.finish(after)
        return Completed(results=results_now(after, tally.done), tally=tally)

    return undamaged(attempt, warn, then=RECOMPUTED)


def reach(
    session: Session, stage: Stage, machine: Machine, *, show: Show = silently, warn: Warn = warn_in_log
) -> Reached:
    """Do every step that is missing up to a stage, and read what the stage made."""

    def attempt() -> Reached:
        after, tally = make_looking(session, stage, machine, show=show, warn=warn)
        return Reached(rows=rows_of(after, stage), tally=tally)

    return undamaged(attempt, warn, then=RECOMPUTED)
