"""The local engine: long-lived workers on this machine, forked from a nursery that has imported torch and the data.

A worker that dies takes only its step along; the driver starts that once more, and it gets a fresh worker. A worker
never runs the user's main module, so a script that starts a run needs no `if __name__ == "__main__"`.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.connection import Connection, wait
from pathlib import Path

from prunectl.base.errors import FAILED, PrunectlError, StoreError
from prunectl.base.text import size
from prunectl.base.theirs import third_party
from prunectl.base.until import Until
from prunectl.execute.engine import Executor, NotInTimeError
from prunectl.execute.nursery import Ended
from prunectl.execute.outcome import Checking, Outcome, Progress, Request, Status
from prunectl.execute.spool import Spool
from prunectl.execute.started import NurseryProcess, close_idle, left, start_early, taken
from prunectl.execute.task import Done, Task, packed
from prunectl.plan.preflight import Preflight
from prunectl.plan.steps import Data, Key
from prunectl.store.address import store_at

GRACE_S = 30.0  # seconds for a worker to save a snapshot when asked to stop
ENDING_S = 5.0  # seconds for a worker to end that has closed its connection; for all together when a run stops
STARTS = 3
"""How often a nursery is started, or a worker that does not stay alive, before a run gives up."""
BROKEN = (EOFError, OSError, pickle.UnpicklingError)
"""What reading a connection raises whose other end is gone; or whose message Ctrl-C had interrupted."""


class NurseryError(PrunectlError):
    """The process that workers are forked from does not stay alive: an accident of the machine."""

    exit_code = FAILED

    def __init__(self) -> None:
        super().__init__(
            f"the process that starts the workers ended {STARTS} times",
            hint="is there memory left for it? finished steps are kept: run the same command to continue",
        )


@dataclass(kw_only=True, eq=False)
class _Worker:
    """A worker as its driver sees it."""

    number: int
    device: str
    connection: Connection
    spool: Spool
    pid: int
    request: Request | None = None

    def close(self) -> None:
        if not self.connection.closed:
            self.connection.close()
            self.spool.close()


NUMBERS = count()
"""Every worker of this process has a number of its own: one nursery may serve several engines."""


class LocalEngine:
    """Steps in workers on this machine, up to `jobs` at once."""

    def __init__(self, jobs: int, imports: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self.jobs, self.clock = jobs, clock
        self.imports = [module for module in imports if not third_party(module, None)]
        self.workers: dict[int, _Worker] = {}
        self.suspects: set[Key] = set()
        """Steps whose worker has died: they get a fresh one."""
        self.shared: tuple[Sequence[Data], Path] = ((), Path())
        self.nursery: NurseryProcess | None = None

    @property
    def running(self) -> dict[Key, _Worker]:
        """The requests that have been started and have not ended."""
        return {worker.request.key: worker for worker in self.workers.values() if worker.request}

    def start(self, request: Request) -> None:
        """Give a request to a worker on the device with the fewest steps: to an idle one, or to a new one."""
        if isinstance(request.step, Preflight):
            self.share(request.step.data, request.data)
        busy = Counter(worker.device for worker in self.running.values())
        device = min(request.devices or (request.device,), key=lambda name: busy[name])
        request = replace(request, device=device, devices=())
        for worker in [worker for worker in self.workers.values() if not worker.request and worker.device == device]:
            if request.key in self.suspects:
                self._forget(worker)  # it makes room for a fresh one
            elif self._sent(worker, request):
                return
        for _ in range(STARTS):
            if self._sent(self._forked(device, request.until), request):
                return
        raise NurseryError

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress | Checking]:
        """What workers have reported; waits for a report at most this long."""
        by_connection = {worker.connection: worker for worker in self.workers.values()}
        controls: list[Connection | int] = []
        if self.nursery is not None:
            controls = [self.nursery.control, self.nursery.spool.reading]
        spools = {worker.spool.reading: worker.spool for worker in self.workers.values()}
        ready = wait([*by_connection, *controls, *spools], timeout_s)
        for reading in spools.keys() & set(ready):
            spools[reading].drain()
        for connection, worker in by_connection.items():
            if connection in ready:
                yield from self._received(worker)
        if self.nursery is not None:
            yield from self._ended(self.nursery)

    def stop(self) -> None:
        """Ask every worker to stop, give it time to save a snapshot, and kill those that do not stop.

        Their time ends when the run has to be over. A check has nothing to save.
        """
        begun = time.monotonic()
        graces = {number: self._grace_s(worker.request) for number, worker in self.workers.items()}
        last = begun + max(graces.values(), default=0.0) + ENDING_S
        for worker in self.workers.values():
            if worker.request is None:
                worker.close()
            else:
                _signal(worker, signal.SIGTERM)
        for worker in self.workers.values():
            self._end(worker, begun + graces[worker.number], last)
        self.workers.clear()
        if self.nursery is not None:
            left(self.nursery)
            self.nursery = None

    def _grace_s(self, request: Request | None) -> float:
        """Seconds for a worker to stop."""
        if request is None or isinstance(request.step, Preflight):
            return 0.0
        return GRACE_S if request.until is None else min(GRACE_S, max(0.0, request.until.at - self.clock()))

    def _end(self, worker: _Worker, deadline: float, last: float) -> None:
        """Wait until a worker has stopped, or kill it; its end is known at the `last` moment, or not at all."""
        while worker.request is not None and (ready := _waited(worker, deadline)):
            if worker.connection not in ready and time.monotonic() >= deadline:
                break  # it does nothing but print
            if worker.spool.reading in ready:
                worker.spool.drain()
            if worker.connection in ready:
                try:
                    event = worker.connection.recv()
                except BROKEN:
                    break
                if isinstance(event, Done):
                    _keep_output(worker, event.outcome)
                    worker.request = None
        worker.close()
        if worker.request is not None:
            _signal(worker, signal.SIGKILL)
        left_s = max(0.0, last - time.monotonic())
        if self.nursery is not None and self.nursery.ending(worker.number, timeout_s=left_s) is None:
            _signal(worker, signal.SIGKILL)

    def share(self, data: Sequence[Data], root: Path) -> None:
        self.shared = ([each for each in data if _is_shared(each)], root)
        if self.nursery is not None:
            with suppress(OSError):  # it is started again, with these, when a worker is needed
                self.nursery.read(*self.shared)

    def _forked(self, device: str, until: Until | None) -> _Worker:
        """A new worker; the nursery is started, or started again if it was killed.

        Raises NurseryError, and NotInTimeError if the nursery is not ready when the run begins to stop.
        """
        within_s = None if until is None else until.begin - self.clock()
        for _ in range(STARTS):
            number, spool = next(NUMBERS), Spool()
            try:
                if self.nursery is None:
                    self.nursery = taken()
                    self.nursery.read(*self.shared)
                    self.nursery.bring(self.imports)
                connection, pid = self.nursery.fork(number, spool, within_s)
            except NotInTimeError:
                spool.close()
                raise
            except BROKEN:
                spool.close()
                self._without_nursery()
            else:
                worker = _Worker(number=number, device=device, connection=connection, spool=spool, pid=pid)
                self.workers[number] = worker
                return worker
        raise NurseryError

    def _without_nursery(self) -> None:
        if self.nursery is not None:
            self.nursery.close()
            self.nursery = None

    def _sent(self, worker: _Worker, request: Request) -> bool:
        """Whether a worker was alive to receive a request."""
        worker.request = request
        try:
            worker.connection.send(Task(key=request.key, packed=packed(request)))
        except ConnectionError:
            self._forget(worker)
            return False
        return True

    def _forget(self, worker: _Worker) -> None:
        del self.workers[worker.number]
        worker.close()

    def _received(self, worker: _Worker) -> Iterator[Outcome | Progress | Checking]:
        """One message of a worker, or its death."""
        try:
            event = worker.connection.recv()
        except BROKEN:
            yield from self._died(worker)
            return
        if isinstance(event, Progress | Checking):
            yield event
            return
        assert isinstance(event, Done)
        _keep_output(worker, event.outcome)
        worker.request = None
        self.suspects.discard(event.outcome.key)
        if event.leaving:
            self._forget(worker)
        yield event.outcome

    def _ended(self, nursery: NurseryProcess) -> Iterator[Outcome | Progress | Checking]:
        """What workers reported before they ended; a process that they left behind may keep their connection open."""
        try:
            nursery.listen()
        except BROKEN:
            self._without_nursery()  # workers that are alive go on
        for number in nursery.ended.keys() & self.workers.keys():
            while (worker := self.workers.get(number)) is not None and worker.connection.poll():
                yield from self._received(worker)
            if worker is not None:
                yield from self._died(worker)

    def _died(self, worker: _Worker) -> Iterator[Outcome]:
        """The outcome of the step of a worker that has ended without one."""
        ended = None if self.nursery is None else self.nursery.ending(worker.number, timeout_s=ENDING_S)
        if ended is None and self.nursery is not None:
            _signal(worker, signal.SIGKILL)  # it lives, but nobody can talk to it
        printed = worker.spool.take()
        self._forget(worker)
        if worker.request is not None:
            keep_log(worker.request, printed)
            self.suspects.add(worker.request.key)
            yield Outcome(key=worker.request.key, status=Status.LOST, reason=_reason(ended))


class Local(Executor):
    """The processes of this machine."""

    name = "local"
    summary = "long-lived worker processes of this machine"

    def start_early(self) -> None:
        """Start the nursery, which takes seconds to import torch."""
        start_early()

    def stop_early(self) -> None:
        """End the nursery."""
        close_idle()

    def engine(self, jobs: int, imports: Sequence[str]) -> LocalEngine:
        """An engine whose nursery imports torch and `imports` before the first step."""
        return LocalEngine(jobs, imports)


def _is_shared(data: Data) -> bool:
    """Whether a nursery may read a data set: it is held in memory, and no code of third parties reads it."""
    kind = type(data.dataset)
    theirs = third_party(kind.__module__, getattr(sys.modules.get(kind.__module__), "__file__", None))
    return not data.dataset.in_files and not theirs


def _waited(worker: _Worker, deadline: float) -> list[object]:
    """What a worker has sent: a message, output, or both; nothing if it sends nothing until the deadline."""
    return list(wait([worker.connection, worker.spool.reading], max(0.0, deadline - time.monotonic())))


def _keep_output(worker: _Worker, outcome: Outcome) -> None:
    """Put what a step printed into its log. What the check before the first step prints goes to stderr."""
    assert worker.request is not None
    if isinstance(worker.request.step, Preflight) or outcome.problems:
        worker.spool.show()
        return
    printed = worker.spool.take()
    if outcome.status in (Status.DONE, Status.FAILED):
        keep_log(worker.request, printed)


def keep_log(request: Request, printed: bytes) -> None:
    """Store what a step printed, in place of what it printed before. A log that cannot be stored costs no step."""
    if not isinstance(request.step, Preflight):
        with suppress(StoreError):
            store_at(request.store).keep_log(request.key, printed)


def _signal(worker: _Worker, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(worker.pid, number)


def _reason(ended: Ended | None) -> str:
    """How a worker ended, in words."""
    if ended is None:
        return "its worker ended, and how is not known"
    used = f"it had used {size(ended.peak_bytes)} of memory"
    if ended.code >= 0:
        return f"its worker exited with status {ended.code} before it reported a result; {used}"
    name = signal.Signals(-ended.code).name
    guess = " (out of memory?)" if ended.code == -signal.SIGKILL else ""
    return f"its worker was killed by signal {-ended.code}, {name}{guess}; {used}"
