"""A run whose workers are runs themselves, on the same store: submitted, followed by what the store gains, ended."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.base.errors import FAILED, InterruptError
from prunectl.base.text import plural

if TYPE_CHECKING:
    from prunectl.api.machine import Machine
    from prunectl.api.missing import Missing
    from prunectl.api.session import Session
    from prunectl.catalog.executor import Pool, Pull, Seen
    from prunectl.execute.driver import Listener, Tally
    from prunectl.plan.explain import Todo
    from prunectl.plan.stage import Stage
    from prunectl.plan.steps import Key

LOOK_S = 1.0
"""How often the store is looked through, if that is fast."""
IDLE = 4.0
"""At least four fifths of the time are spent waiting: the workers need the file server more."""
GOING_S = 30.0
"""How often the steps that go on are named, as a run without a cluster does."""
LATE_S = 120.0
"""How long after their moment workers are waited for."""


class LeftError(InterruptError):
    """The workers have ended, and steps are left."""


def pull_of(session: Session, stage: Stage, machine: Machine) -> Pull:
    """What each worker runs: the same study, selection, store and data, up to the same stage."""
    from prunectl.catalog.executor import Pull

    selection, store = session.selection, session.store
    arguments = [stage, str(session.path.absolute()), "--share", "--store", str(store.address)]
    arguments += ["--data", str(session.data.absolute()), "--device", machine.device]
    arguments += ["--threads", str(machine.threads), "--executor", "local"]  # whatever the user's settings are
    arguments += ["--jobs", str(machine.jobs)] if machine.jobs else []
    arguments += ["--profile", selection.profile] if selection.profile else []
    for option, values in (("--set", selection.overrides), ("--only", selection.only)):
        arguments += [text for value in values for text in (option, value)]
    parent = store.jobs if store.url is None else Path.cwd() / "prunectl-jobs"
    return Pull(
        arguments=tuple(arguments),
        folder=parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}",
        until=machine.until,
    )


def followed(
    missing: Missing,
    pool: Pool,
    look: Callable[[], Todo],
    listen: Listener,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> Tally:
    """Wait until workers have done everything, or have ended; `look` is what the store lacks now.

    Raises LeftError if they have ended, and steps are left that none of them has failed at. Ctrl-C cancels them.
    """
    warn, until = missing.warn, missing.machine.until
    warn(f"submitted {pool.label}; Ctrl-C, or `{pool.cancelling}`, cancels it, with snapshots left")
    following = _Following(missing.session, missing.todo, listen)
    seen: Seen | None = None
    spoken = clock()
    try:
        while True:
            begun = clock()
            before, seen = seen, pool.look()
            now = look()
            following.take(now)
            if not now.todo:
                pool.finish()
                return following.tally
            late = until is not None and begun > until.at + LATE_S
            if late or (seen is not None and not seen.running and not seen.waiting):
                return following.ended(now, pool)
            if seen is not None and seen != before:
                warn(f"{pool.label}: {plural(seen.running, 'worker')} at work, {seen.waiting} waiting to be started")
            if begun - spoken >= GOING_S:
                spoken = begun
                for line in pool.going():
                    warn(line)
            sleep(max(LOOK_S, IDLE * (clock() - begun)))
    except KeyboardInterrupt:
        pool.cancel()
        raise InterruptError(
            f"interrupted; {pool.label} is cancelled: its workers save snapshots and end; finished steps are kept",
            hint="run the same command to continue",
        ) from None


class _Following:
    """What has become of the steps that were to do."""

    def __init__(self, session: Session, todo: Todo, listen: Listener) -> None:
        from prunectl.execute.driver import Tally

        self.session, self.listen = session, listen
        self.open = set(todo.todo)
        self.tally = Tally(reused=set(todo.reused))

    def take(self, now: Todo) -> None:
        """Report the steps that are not to do any more."""
        for key in [key for key in self.session.plan.steps if key in self.open and key not in now.todo]:
            self.open.discard(key)
            if key in now.failed:
                self._failed(key, self._reason(key))
            elif key in now.skipped:
                self._skipped(key, self._reason(now.skipped[key]))
            elif self.session.store.has(key):
                self._done(key)

    def ended(self, now: Todo, pool: Pool) -> Tally:
        """What workers have failed at is an outcome now, and what depends on it. Raises LeftError if more is left."""
        from prunectl.plan.explain import Reason
        from prunectl.plan.steps import parents

        for key, why in now.todo.items():  # parents come first
            broken = [parent for parent in parents(self.session.plan.steps[key]).values() if self._is_broken(parent)]
            if why is Reason.CRASHED:
                self._failed(key, self._reason(key))
            elif broken:
                self._skipped(key, {**self.tally.failed, **self.tally.skipped}[broken[0]])
        left = len(set(now.todo) - self.tally.failed.keys() - self.tally.skipped.keys())
        if left:
            trouble = pool.trouble()
            error = LeftError(
                f"{pool.label} has ended with {plural(left, 'step')} left" + (f": {trouble}" if trouble else ""),
                hint="finished steps and snapshots of trainings are kept: run the same command to continue",
            )
            error.exit_code = FAILED if trouble else error.exit_code
            raise error
        pool.finish()
        return self.tally

    def _is_broken(self, key: Key) -> bool:
        return key in self.tally.failed or key in self.tally.skipped

    def _reason(self, key: Key) -> str:
        failure = self.session.store.failure(key)
        return "failed" if failure is None else failure["reason"]

    def _done(self, key: Key) -> None:
        from prunectl.execute.outcome import Outcome, Status
        from prunectl.store.manifest import DamagedError

        wall_s = 0.0
        with contextlib.suppress(KeyError, DamagedError):  # it is found again when the table is read
            wall_s = self.session.store.manifest(key).made.wall_s
        self.tally.done.add(key)
        self.listen(Outcome(key=key, status=Status.DONE, wall_s=wall_s))

    def _failed(self, key: Key, reason: str) -> None:
        from prunectl.execute.outcome import Outcome, Status

        self.tally.failed[key] = reason
        self.listen(Outcome(key=key, status=Status.FAILED, reason=reason))

    def _skipped(self, key: Key, reason: str) -> None:
        from prunectl.execute.outcome import Outcome, Status

        self.tally.skipped[key] = reason
        self.listen(Outcome(key=key, status=Status.SKIPPED, reason=reason))
