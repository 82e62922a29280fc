"""The check before the first step: what needs torch, by one worker.

Code of third parties can end that worker. The check is then tried once more, and if that worker dies too, the run goes
on with what is known: the step that runs the same code has a worker to itself, and its end is a row of the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from prunectl.base.errors import FAILED, PrunectlError
from prunectl.execute.driver import BUSY_S, InterruptedRunError
from prunectl.execute.engine import Engine, NotInTimeError
from prunectl.execute.outcome import Checking, Outcome, Request, Status


class PreflightError(PrunectlError):
    """The check itself raised something: an accident, not a problem of the study."""

    exit_code = FAILED


def check(engine: Engine, request: Request, clock: Callable[[], float] = time.time) -> Outcome:
    """Every problem that a preflight request finds, and where steps will be done.

    It is LOST, with the reason and the problems found before, if two workers died of it.
    Raises PreflightError if it fails itself, and NotInTimeError if it has no answer when its run begins to stop.
    """
    try:
        outcome = _answer(engine, request, clock)
        if outcome.status is Status.LOST:
            outcome = _answer(engine, request, clock)
    except KeyboardInterrupt:
        raise InterruptedRunError from None
    if outcome.status is Status.LOST:
        return outcome
    if outcome.reason and not outcome.problems:
        raise PreflightError(f"the check before the first step failed: {outcome.reason}", hint=outcome.hint)
    return outcome


def _answer(engine: Engine, request: Request, clock: Callable[[], float]) -> Outcome:
    engine.start(request)
    last: Checking | None = None
    while True:
        if request.until is not None and clock() >= request.until.begin:
            raise NotInTimeError
        for event in engine.wait(BUSY_S):
            if isinstance(event, Checking):
                last = event
            elif isinstance(event, Outcome):
                return _so_far(event, last) if event.status is Status.LOST and last is not None else event


def _so_far(lost: Outcome, last: Checking) -> Outcome:
    """The outcome of a check whose worker died, with what it had reported."""
    reason = f"{lost.reason}, while {last.subject} was checked"
    return replace(lost, reason=reason, problems=last.problems, hardware_class=last.hardware_class)
