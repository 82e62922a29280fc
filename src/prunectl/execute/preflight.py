"""The check before the first step: what needs torch, by one worker."""

from __future__ import annotations

import time
from collections.abc import Callable

from prunectl.base.errors import FAILED, PrunectlError
from prunectl.execute.driver import BUSY_S, InterruptedRunError
from prunectl.execute.engine import Engine, NotInTimeError
from prunectl.execute.outcome import Outcome, Request, Status


class PreflightError(PrunectlError):
    """The check itself was killed or crashed: an accident, not a problem of the study."""

    exit_code = FAILED


def check(engine: Engine, request: Request, clock: Callable[[], float] = time.time) -> Outcome:
    """Every problem that a preflight request finds, and where steps will be done.

    Raises PreflightError if it ends without an answer, and NotInTimeError if it has none when its run begins to stop.
    """
    try:
        outcome = _answer(engine, request, clock)
        if outcome.status is Status.LOST:
            outcome = _answer(engine, request, clock)
    except KeyboardInterrupt:
        raise InterruptedRunError from None
    if outcome.reason and not outcome.problems:
        raise PreflightError(f"the check before the first step failed: {outcome.reason}", hint=outcome.hint)
    return outcome


def _answer(engine: Engine, request: Request, clock: Callable[[], float]) -> Outcome:
    engine.start(request)
    outcome: Outcome | None = None
    while outcome is None:
        if request.until is not None and clock() >= request.until.begin:
            raise NotInTimeError
        outcome = next((event for event in engine.wait(BUSY_S) if isinstance(event, Outcome)), None)
    return outcome
