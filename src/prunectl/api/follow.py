"""Following a run that goes on elsewhere: results again, each time the store has gained something."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prunectl.api.damage import warn_in_log
from prunectl.api.granted import grown
from prunectl.api.results import results_of

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.session import Session
    from prunectl.results.table import Results

IDLE = 4.0
"""At least four fifths of the time are spent waiting: the run needs the machine more."""


def follow(session: Session, every_s: float, *, warn: Warn = warn_in_log) -> Iterator[Results]:
    """The results now and after every change, looked for every `every_s` seconds, until no trial is missing."""
    known: frozenset[str] | None = None
    spent_s = 0.0
    while True:
        begun = time.monotonic()
        if outcomes(session) != known:
            session = grown(session, warn=warn)  # a look may have granted more seeds
            known = outcomes(session)
            results = results_of(session, warn=warn)
            yield results
            if not going(results):
                return
            spent_s = time.monotonic() - begun
        time.sleep(max(every_s, IDLE * spent_s))


def going(results: Results) -> bool:
    """Whether a trial is missing."""
    return "missing" in results.trials["status"]


def outcomes(session: Session) -> frozenset[str]:
    """The steps that are done or have failed."""
    store = session.store
    store.refresh()
    return frozenset(key for key in session.plan.steps if store.has(key) or store.failure(key) is not None)
