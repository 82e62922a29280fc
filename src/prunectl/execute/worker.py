"""A worker: a process that does one step after another, each as if it were the first.

What is kept between steps is data and imported modules. A worker that ran code of a third party does no other step:
whatever that code changed (defaults, patched functions, leaked threads) goes with the process.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import resource
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from prunectl.base.errors import Problem, described
from prunectl.base.rng import seeded
from prunectl.base.theirs import third_party
from prunectl.execute import hardware
from prunectl.execute.child import do
from prunectl.execute.outcome import Outcome, Progress, Request, Status
from prunectl.execute.task import Done, Task
from prunectl.plan.steps import Key

MOST_BYTES = 4 << 30
"""A worker that has used more memory than this is replaced after its step: freed memory is kept by the process."""


def main(connection: Connection) -> None:
    """The whole life of a worker: it ends when its driver is gone, or when it has to be replaced."""
    worker = Worker(connection)
    try:
        while worker.once():
            pass
    except (EOFError, ConnectionError):
        pass  # the driver is gone; finished work is in the store
    finally:
        os._exit(0)  # nothing to clean up: skip the seconds that torch takes to exit


class Worker:
    """One worker and what it restores between two steps."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.stop = Stop()
        self.surroundings = Surroundings()
        os.dup2(2, 1)  # nothing that a step prints is part of the answer that the driver prints

    def once(self) -> bool:
        """Do the next task. False if the worker leaves."""
        task: Task = self.connection.recv()
        self.stop.asked = False
        self.surroundings.restore()
        outcome, foreign = self._outcome(task)
        leaving = foreign or _peak_bytes() > MOST_BYTES
        self.connection.send(Done(outcome=outcome, leaving=leaving))
        return not leaving

    def _outcome(self, task: Task) -> tuple[Outcome, bool]:
        """The outcome, and whether code of third parties was run."""
        reading = _Reading(io.BytesIO(task.packed))
        try:
            with seeded(0, "import"):  # what a module of a plug-in draws when it is imported
                request: Request = reading.load()
        except Exception as error:  # the module of a plug-in may raise anything when it is imported here
            reason = f"a module that the study uses cannot be imported in a worker: {described(error)}"
            problems = (Problem(message=reason),)
            return Outcome(key=task.key, status=Status.FAILED, reason=reason, problems=problems), True
        hardware.settle(request.threads)
        return do(request, self.stop, lambda done, total: self._report(task.key, done, total)), reading.foreign

    def _report(self, key: Key, done: int, total: int) -> None:
        try:
            self.connection.send(Progress(key=key, done=done, total=total))
        except ConnectionError:
            self.stop.asked = True  # the driver is gone: nobody would receive the outcome


class _Reading(pickle.Unpickler):
    """Reads a request, and notices whether code of third parties is part of it."""

    foreign = False

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        self.foreign |= third_party(module, getattr(sys.modules.get(module), "__file__", None))
        return found


class Stop:
    """SIGTERM asks a step to stop at the next good moment. Ctrl-C and a hangup are left to the driver."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True

    def __call__(self) -> bool:
        """Whether the step was asked to stop."""
        return self.asked


class Surroundings:
    """What a step could change for the next one, as it was when the worker began."""

    def __init__(self) -> None:
        self.folder = Path.cwd()
        self.environment = dict(os.environ)
        self.mask = os.umask(0)
        os.umask(self.mask)
        self.path = list(sys.path)

    def restore(self) -> None:
        """Put everything back. Global generators are seeded by each step (`base/rng.py`)."""
        with contextlib.suppress(OSError):
            os.chdir(self.folder)
        os.umask(self.mask)
        if os.environ != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        sys.path[:] = self.path
        torch.set_default_dtype(torch.float32)
        torch.set_default_device("cpu")
        torch.set_grad_enabled(True)
        torch.set_num_threads(1)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
