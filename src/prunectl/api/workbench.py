"""Doing single steps, one after the other, in a store that is deleted afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from prunectl.api.machine import Machine, Workers, settled

if TYPE_CHECKING:
    from prunectl.api.session import Session
    from prunectl.execute.engine import Engine
    from prunectl.execute.outcome import Outcome, Request
    from prunectl.plan.cost import Past
    from prunectl.plan.steps import Step
    from prunectl.store.local import LocalStore

WAIT_S = 0.5


@contextmanager
def workbench(session: Session, machine: Machine) -> Iterator[Workbench]:
    """A workbench with the data and weights of a study. Its workers and its store are gone afterwards."""
    from prunectl.store.address import store_at

    workers = settled(machine)
    with TemporaryDirectory(prefix="prunectl-", ignore_cleanup_errors=True) as folder:
        store = store_at(Path(folder) / "store").open()
        engine = workers.engine(session.study.data.dataset.imports)
        try:
            yield Workbench(session=session, workers=workers, engine=engine, store=store)
        finally:
            engine.stop()


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """Does one step at a time."""

    session: Session
    workers: Workers
    engine: Engine
    store: LocalStore

    def do(self, step: Step) -> Past:
        """Do a step, again if it was done before. Its parents must be done.

        Raises NotDoneError, and FatalError where no step can be done: the data are missing.
        """
        from prunectl.execute.driver import FatalError
        from prunectl.execute.outcome import Status
        from prunectl.plan.cost import Past
        from prunectl.plan.probe import NotDoneError

        request = self._request(step)
        self.store.delete(request.key)
        outcome = self._outcome(request)
        if outcome.status is Status.FATAL:
            raise FatalError(outcome)
        if outcome.status is not Status.DONE:
            raise NotDoneError(outcome.reason or outcome.status.value)
        manifest = self.store.manifest(request.key)
        size_bytes = manifest.stored_bytes(self.session.store.block_bytes)
        return Past(preimage=manifest.preimage, wall_s=manifest.made.wall_s, size_bytes=size_bytes)

    def _request(self, step: Step) -> Request:
        from prunectl.execute.outcome import Request
        from prunectl.plan.steps import key_of

        return Request(
            key=key_of(step),
            step=step,
            store=self.store.address,
            data=self.session.data.absolute(),
            weights=self.session.weights,
            device=self.workers.device,
            threads=self.workers.threads,
            workers=self.workers.readers,
            snapshot_s=math.inf,  # a snapshot would be part of the time
        )

    def _outcome(self, request: Request) -> Outcome:
        from prunectl.execute.outcome import Outcome

        self.engine.start(request)
        while True:
            for event in self.engine.wait(WAIT_S):
                if isinstance(event, Outcome):
                    return event
