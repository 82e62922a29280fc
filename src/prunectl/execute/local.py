"""The local engine: long-lived workers on this machine, forked from a nursery that has imported torch and the data.

A worker that dies takes only its step along, which is tried once more in a fresh one. A worker never runs the user's
main module, so a script that starts a run needs no `if __name__ == "__main__"`.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.reduction import send_handle
from pathlib import Path

from prunectl.base.errors import FAILED, PrunectlError
from prunectl.base.text import size
from prunectl.base.theirs import third_party
from prunectl.execute import nursery
from prunectl.execute.engine import Executor
from prunectl.execute.nursery import Born, Ended, Fork, Hello, Read
from prunectl.execute.outcome import Outcome, Progress, Request, Status
from prunectl.execute.task import Done, Task
from prunectl.plan.preflight import Preflight
from prunectl.plan.steps import Data, Key

GRACE_S = 30.0  # seconds for a worker to save a snapshot when asked to stop
STARTS = 3
"""How often a nursery is started before a run gives up."""
ATTEMPTS = 2
"""How often a step is tried whose worker dies."""


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
    connection: Connection
    pid: int
    request: Request | None = None


class Nursery:
    """The driver's end of a nursery (`execute/nursery.py`)."""

    def __init__(self, imports: Sequence[str]) -> None:
        """Start one. It begins to import at once."""
        ours, theirs = socket.socketpair()
        with ours, theirs, _signals_blocked():
            self.process = subprocess.Popen(
                nursery.command(theirs.fileno()), pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=2
            )
            self.control = Connection(ours.detach())
        self.control.send(Hello(path=tuple(sys.path), imports=tuple(imports)))
        self.born: dict[int, Born] = {}
        self.ended: dict[int, Ended] = {}

    def read(self, data: Sequence[Data], root: Path) -> None:
        """Let it read data sets, for the workers that are forked from now on."""
        self.control.send(Read(data=tuple(data), root=root))

    def fork(self, number: int) -> _Worker:
        """A new worker. Raises EOFError or ConnectionError if the nursery is gone."""
        ours, theirs = Pipe()
        with theirs:
            self.control.send(Fork(number=number))
            send_handle(self.control, theirs.fileno(), self.process.pid)
        while number not in self.born:
            self._hear()
        return _Worker(number=number, connection=ours, pid=self.born.pop(number).pid)

    def ending(self, number: int, timeout_s: float | None = None) -> Ended | None:
        """How a worker has ended; None if that is not known: it lives, or the nursery has died before it."""
        with suppress(EOFError, ConnectionError):
            while number not in self.ended and self.control.poll(timeout_s):
                self._hear()
        return self.ended.get(number)

    def close(self) -> None:
        """Let it end."""
        self.control.close()
        self.process.wait()

    def _hear(self) -> None:
        message = self.control.recv()
        (self.born if isinstance(message, Born) else self.ended)[message.number] = message


class LocalEngine:
    """Steps in workers on this machine, up to `jobs` at once."""

    def __init__(self, jobs: int, imports: Sequence[str]) -> None:
        self.jobs, self.imports = jobs, imports
        self.workers: dict[int, _Worker] = {}
        self.attempts: dict[Key, int] = {}
        self.deaths: dict[Key, list[str]] = {}
        self.nursery: Nursery | None = None
        self.numbers = count()

    @property
    def running(self) -> dict[Key, _Worker]:
        """The requests that have been started and have not ended."""
        return {worker.request.key: worker for worker in self.workers.values() if worker.request}

    def start(self, request: Request) -> None:
        """Give a request to a worker that is idle, or to a new one."""
        idle = (worker for worker in self.workers.values() if worker.request is None)
        for worker in [*idle]:
            if self._sent(worker, request):
                return
        while not self._sent(self._forked(request), request):
            pass  # it was killed at once

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress]:
        """What workers have reported; waits for a report at most this long."""
        by_connection = {worker.connection: worker for worker in self.workers.values()}
        for ready in wait(list(by_connection), timeout_s):
            worker = by_connection[ready]  # type: ignore[index]
            event = self._received(worker)
            if event is not None:
                yield event

    def stop(self) -> None:
        """Ask every worker to stop, give it time to save a snapshot, and kill those that do not stop."""
        for worker in self.workers.values():
            if worker.request is None:
                worker.connection.close()
            else:
                _signal(worker, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        for worker in self.workers.values():
            self._end(worker, deadline)
        self.workers.clear()
        if self.nursery is not None:
            self.nursery.close()
            self.nursery = None

    def _end(self, worker: _Worker, deadline: float) -> None:
        """Wait until a worker has ended, or kill it."""
        assert self.nursery is not None
        while worker.request is not None and (left_s := deadline - time.monotonic()) > 0:
            if not worker.connection.poll(left_s):
                break
            try:
                worker.request = None if isinstance(worker.connection.recv(), Done) else worker.request
            except (EOFError, ConnectionError):
                worker.request = None
        if not worker.connection.closed:
            worker.connection.close()
        if worker.request is not None:
            _signal(worker, signal.SIGKILL)
        self.nursery.ending(worker.number, timeout_s=max(1.0, deadline - time.monotonic()))

    def _forked(self, request: Request) -> _Worker:
        """A new worker; the nursery is started, or started again if it was killed. Raises NurseryError."""
        for _ in range(STARTS):
            try:
                if self.nursery is None:
                    self.nursery = Nursery(self.imports)
                if isinstance(request.step, Preflight):
                    self.nursery.read([data for data in request.step.data if _is_shared(data)], request.data)
                worker = self.nursery.fork(next(self.numbers))
            except (EOFError, ConnectionError):
                if self.nursery is not None:
                    self.nursery.close()
                self.nursery = None
            else:
                self.workers[worker.number] = worker
                return worker
        raise NurseryError

    def _sent(self, worker: _Worker, request: Request) -> bool:
        """Whether a worker was alive to receive a request."""
        worker.request = request
        try:
            worker.connection.send(Task(key=request.key, packed=pickle.dumps(request)))
        except ConnectionError:
            self._forget(worker)
            return False
        return True

    def _forget(self, worker: _Worker) -> None:
        del self.workers[worker.number]
        worker.connection.close()

    def _received(self, worker: _Worker) -> Outcome | Progress | None:
        try:
            event = worker.connection.recv()
        except (EOFError, ConnectionError):
            return self._died(worker)
        if isinstance(event, Progress):
            return event
        assert isinstance(event, Done)
        worker.request = None
        if event.leaving:
            self._forget(worker)
        self.deaths.pop(event.outcome.key, None)
        return event.outcome

    def _died(self, worker: _Worker) -> Outcome | None:
        """Try its step once more in a fresh worker; if that dies too, the step has failed."""
        self._forget(worker)
        request = worker.request
        if request is None:
            return None
        assert self.nursery is not None
        deaths = self.deaths.setdefault(request.key, [])
        deaths.append(_reason(self.nursery.ending(worker.number, timeout_s=GRACE_S)))
        if len(deaths) < ATTEMPTS:
            self.start(request)
            return None
        reason = " and again: ".join(dict.fromkeys(self.deaths.pop(request.key)))
        return Outcome(key=request.key, status=Status.FAILED, reason=reason)


class Local(Executor):
    """The processes of this machine."""

    name = "local"
    summary = "long-lived worker processes of this machine"

    def engine(self, jobs: int, imports: Sequence[str]) -> LocalEngine:
        """An engine whose nursery imports torch and `imports` before the first step."""
        return LocalEngine(jobs, imports)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block what a terminal sends to all of its processes while a nursery starts; it inherits the mask.

    Until it ignores them it would answer Ctrl-C with a traceback. Ending workers is the driver's task.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_shared(data: Data) -> bool:
    """Whether a nursery may read a data set: it is held in memory, and no code of third parties reads it."""
    kind = type(data.dataset)
    theirs = third_party(kind.__module__, getattr(sys.modules.get(kind.__module__), "__file__", None))
    return not data.dataset.in_files and not theirs


def _signal(worker: _Worker, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(worker.pid, number)


def _reason(ended: Ended | None) -> str:
    if ended is None:
        return "its worker ended, how is not known"
    peak = f"; it had used {size(ended.peak_bytes)} of memory"
    if ended.code < 0:
        name = signal.Signals(-ended.code).name
        return f"its worker was killed by signal {-ended.code}, {name}{peak}" + (
            " (out of memory?)" if ended.code == -signal.SIGKILL else ""
        )
    return f"its worker exited with status {ended.code} before it reported a result{peak}"
