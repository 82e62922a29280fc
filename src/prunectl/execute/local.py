"""The local engine: one child process per step, forked from a server that has imported torch.

A child that is killed affects no other, and leaves nothing but its own unfinished step. A child never runs the
user's main module again, so a script that starts a run needs no `if __name__ == "__main__"`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType

from prunectl.base.errors import FAILED, PrunectlError
from prunectl.execute.engine import Executor
from prunectl.execute.outcome import Outcome, Progress, Request, Status
from prunectl.plan.steps import Key

ATTEMPTS = 3
"""How often the fork server is started before a run gives up."""

GRACE_S = 30.0  # seconds for a child to save a snapshot when asked to stop


class ServerError(PrunectlError):
    """The process from which workers are forked does not stay alive: an accident of the machine."""

    exit_code = FAILED

    def __init__(self) -> None:
        super().__init__(
            f"the process that starts the workers ended {ATTEMPTS} times while it started",
            hint="is there memory left for it? finished steps are kept: run the same command to continue",
        )


@dataclass(frozen=True, kw_only=True)
class _Job:
    process: BaseProcess
    connection: Connection


class LocalEngine:
    """Steps in processes on this machine, up to `jobs` at once."""

    def __init__(self, jobs: int, imports: Sequence[str]) -> None:
        self.jobs = jobs
        self.running: dict[Key, _Job] = {}
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["prunectl.execute.child", *imports])

    def start(self, request: Request) -> None:
        """Start a request in a new child."""
        receive, send = self.context.Pipe(duplex=False)
        # Pickled apart from the process, so that a module that fails to import in the child is an outcome.
        arguments = (send, request.key, pickle.dumps(request))
        process = self._started(arguments)
        send.close()
        self.running[request.key] = _Job(process=process, connection=receive)

    def _started(self, arguments: tuple[Connection, Key, bytes]) -> BaseProcess:
        """A child; the fork server is started again if it was killed. Raises ServerError if that does not help."""
        for _ in range(ATTEMPTS):
            process = self.context.Process(target=run_child, args=arguments, daemon=False)  # it may have readers
            with _without_main(), _signals_blocked(), contextlib.suppress(EOFError, ConnectionError):
                process.start()
                return process
        raise ServerError

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress]:
        """What children have reported; waits for a report at most this long."""
        by_connection = {job.connection: key for key, job in self.running.items()}
        for ready in wait(list(by_connection), timeout_s):
            assert isinstance(ready, Connection)
            yield self._receive(by_connection[ready], ready)

    def stop(self) -> None:
        """Ask every child to stop, give it time to save a snapshot, and kill those that do not stop."""
        for job in self.running.values():
            job.process.terminate()
        deadline = time.monotonic() + GRACE_S
        for job in self.running.values():
            job.process.join(max(0.0, deadline - time.monotonic()))
            if job.process.is_alive():
                job.process.kill()
                job.process.join()
        self.running.clear()

    def _receive(self, key: Key, connection: Connection) -> Outcome | Progress:
        try:
            event = connection.recv()
        except (EOFError, ConnectionError):
            event = None
        if isinstance(event, Progress):
            return event
        job = self.running.pop(key)
        job.process.join()
        connection.close()
        if isinstance(event, Outcome):
            return event
        return Outcome(key=key, status=Status.FAILED, reason=_exit_reason(job.process.exitcode))


class Local(Executor):
    """The processes of this machine."""

    name = "local"
    summary = "a process of this machine for each step"

    def engine(self, jobs: int, imports: Sequence[str]) -> LocalEngine:
        """An engine whose fork server imports torch and `imports` before the first step."""
        return LocalEngine(jobs, imports)


def run_child(connection: Connection, key: Key, packed: bytes) -> None:
    """What a child runs. Here, and not in child.py, so that the driver need not import torch."""
    from prunectl.execute.child import main

    main(connection, key, packed)


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module while a process is started.

    multiprocessing would have the child run it again: a plain script would begin its study again in every child, and
    a session that reads from stdin has no file to run.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block what a terminal sends to all of its processes while the fork server starts; it inherits the mask.

    Until it has imported torch it would answer Ctrl-C with a traceback. Children ignore both signals anyway: ending
    them is the driver's task.
    """
    resource_tracker.ensure_running()  # else the fork server starts it, and that unblocks SIGINT again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _exit_reason(code: int | None) -> str:
    if code is not None and code < 0:
        return f"its process was killed by signal {-code}" + (" (out of memory?)" if code == -9 else "")
    return f"its process exited with status {code} before it reported a result"
