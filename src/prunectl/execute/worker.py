"""A worker: a process that does one step after another, each as if it were the first.

What is kept between steps is data and imported modules. A worker that ran code of a third party does no other step:
whatever that code changed (defaults, patched functions, leaked threads) goes with the process.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from prunectl.base import ctrl_c, resident
from prunectl.base.errors import Problem, described
from prunectl.base.rng import seeded
from prunectl.base.theirs import third_party
from prunectl.catalog.hook import Shown
from prunectl.catalog.referenced import entry_of
from prunectl.execute import hardware
from prunectl.execute.child import do
from prunectl.execute.outcome import Checking, Outcome, Progress, Request, Status
from prunectl.execute.spool import Spool
from prunectl.execute.surroundings import Surroundings
from prunectl.execute.task import Done, Task
from prunectl.plan.steps import Key

TRIM_BYTES = 1 << 30
"""A worker that holds more than this returns memory to the system that it has freed."""
MOST_BYTES = 4 << 30
"""A worker that holds more than this even then is replaced."""
SUSPECT = 500
"""How much sooner than other processes a worker is killed when memory runs out, of 1,000: sooner than its nursery."""


def prepare() -> None:
    """Called in the nursery: what it does must start no threads, which a forked process would wait for in vain."""
    torch.set_num_threads(1)


def main(connection: Connection, spool: Spool) -> None:
    """The whole life of a worker: it ends when its driver is gone, or when it has to be replaced."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(SUSPECT))
    ctrl_c.leave_to_driver()
    worker = Worker(connection, spool)
    try:
        while worker.once():
            pass
    except (EOFError, ConnectionError):
        pass  # the driver is gone; finished work is in the store
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # nothing to clean up: skip the seconds that torch takes to exit


class Worker:
    """One worker and what it restores between two steps."""

    def __init__(self, connection: Connection, spool: Spool) -> None:
        self.connection = connection
        spool.redirect()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True)  # what a step prints before it dies is not lost
        self.shown: Shown | None = None
        """What the step that is being done shows of itself, sent with its progress."""
        self.stop = Stop()
        self.surroundings = Surroundings()

    def once(self) -> bool:
        """Do the next task. False if the worker leaves."""
        task: Task = self.connection.recv()
        with self.stop.listening():
            self.surroundings.restore()
            self.stop.install()
            outcome, foreign = self._outcome(task)
            _flush()
            leaving = foreign or self.stop.asked or _too_large()
            self.connection.send(Done(outcome=outcome, leaving=leaving))
        # Asked only here, when the signal ends an idle worker at once: one that came before is not forgotten.
        return not (leaving or self.stop.asked)

    def _outcome(self, task: Task) -> tuple[Outcome, bool]:
        """The outcome, and whether code of third parties was run."""
        reading = _Reading(io.BytesIO(task.packed))
        try:
            with seeded(0, "import"):  # what a module of a plug-in draws when it is imported
                request: Request = reading.load()
        except BaseException as error:  # the module of a plug-in may raise anything when it is imported here
            reason = f"a module that the study uses cannot be imported in a worker: {described(error)}"
            problems = (Problem(message=reason),)
            return Outcome(key=task.key, status=Status.FAILED, reason=reason, problems=problems), True
        hardware.settle(request.threads)
        self.shown = None
        outcome = do(
            request, self.stop, lambda done, total: self._report(task.key, done, total), self._show, self._send
        )
        return outcome, reading.foreign

    def _show(self, shown: Shown) -> None:
        self.shown = shown

    def _report(self, key: Key, done: int, total: int) -> None:
        self._send(Progress(key=key, done=done, total=total, shown=self.shown))

    def _send(self, event: Progress | Checking) -> None:
        try:
            self.connection.send(event)
        except ConnectionError:
            self.stop.asked = True  # the driver is gone: nobody would receive the outcome


def _flush() -> None:
    """Let everything that a step printed reach the driver before its outcome does."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # a third party may have put anything in its place
            stream.flush()
    hardware.flush()


class _Reading(pickle.Unpickler):
    """Reads a request, and notices whether code of third parties is part of it."""

    foreign = False

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        self.foreign |= third_party(module, getattr(sys.modules.get(module), "__file__", None)) or found is entry_of
        return found


class Stop:
    """SIGTERM asks a step to stop at the next good moment, and ends an idle worker.

    Ctrl-C and a hangup are left to the driver.
    """

    def __init__(self) -> None:
        self.asked = False
        self.busy = False
        self.install()

    def install(self) -> None:
        """Answer the signals, whatever a step has made of them."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._ask)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While a step is done: it decides when it stops."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True
        if not self.busy:
            os._exit(0)

    def __call__(self) -> bool:
        """Whether the step was asked to stop."""
        return self.asked


def _too_large() -> bool:
    """Whether a worker holds more memory than it should, even after it returned what it had freed."""
    if resident.resident_bytes() > TRIM_BYTES:
        resident.trim()
    return resident.resident_bytes() > MOST_BYTES
