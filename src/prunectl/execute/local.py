"""The local engine: one child process per step, forked from a server that has imported torch.

A child that is killed takes nobody along, and leaves nothing but its own unfinished step.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import ClassVar

from prunectl.execute.engine import Executor
from prunectl.execute.outcome import Outcome, Progress, Request, Status
from prunectl.plan.steps import Key

GRACE_S = 30.0  # for a child to leave its snapshot when asked to stop


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
        self.context.set_forkserver_preload(["__main__", "prunectl.execute.child", *imports])

    def start(self, request: Request) -> None:
        """Begin a step in a new child."""
        receive, send = self.context.Pipe(duplex=False)
        process = self.context.Process(target=run_child, args=(send, request), daemon=False)  # it may have readers
        process.start()
        send.close()
        self.running[request.key] = _Job(process=process, connection=receive)

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress]:
        """What children have told, after waiting for it for a while."""
        by_connection = {job.connection: key for key, job in self.running.items()}
        for ready in wait(list(by_connection), timeout_s):
            assert isinstance(ready, Connection)
            yield self._hear(by_connection[ready], ready)

    def stop(self) -> None:
        """Ask every child to stop, give it time to leave a snapshot, and end what does not listen."""
        for job in self.running.values():
            job.process.terminate()
        deadline = time.monotonic() + GRACE_S
        for job in self.running.values():
            job.process.join(max(0.0, deadline - time.monotonic()))
            if job.process.is_alive():
                job.process.kill()
                job.process.join()
        self.running.clear()

    def _hear(self, key: Key, connection: Connection) -> Outcome | Progress:
        try:
            told = connection.recv()
        except (EOFError, ConnectionError):
            told = None
        if isinstance(told, Progress):
            return told
        job = self.running.pop(key)
        job.process.join()
        connection.close()
        if isinstance(told, Outcome):
            return told
        return Outcome(key=key, status=Status.FAILED, reason=_last_words(job.process.exitcode))


class Local(Executor):
    """The processes of this machine."""

    name: ClassVar[str] = "local"
    summary: ClassVar[str] = "a process of this machine for each step"

    def engine(self, jobs: int, imports: Sequence[str]) -> LocalEngine:
        """An engine with a warm fork server."""
        return LocalEngine(jobs, imports)


def run_child(connection: Connection, request: Request) -> None:
    """What a child runs. Here, and not in child.py, so that the driver need not import torch."""
    from prunectl.execute.child import main

    main(connection, request)


def _last_words(code: int | None) -> str:
    if code is not None and code < 0:
        return f"its process was killed by signal {-code}" + (" (out of memory?)" if code == -9 else "")
    return f"its process ended with status {code} and without a word"
