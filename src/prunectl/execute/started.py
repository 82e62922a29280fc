"""The driver's end of a nursery (`execute/nursery.py`): started, asked for workers, listened to, ended."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.reduction import send_handle
from pathlib import Path

from prunectl.execute import nursery
from prunectl.execute.engine import NotInTimeError
from prunectl.execute.nursery import Born, Ended, Fork, Hello, Import, Read
from prunectl.execute.spool import Spool
from prunectl.plan.steps import Data


class NurseryProcess:
    """A nursery that runs. Every method that talks to it raises EOFError or an OSError if it is gone.

    It inherits neither stdout nor stderr: whoever reads those of a command to their end waits for the command alone.
    What it prints is shown on stderr from here.
    """

    def __init__(self) -> None:
        """Start one. It begins to import at once."""
        ours, theirs = socket.socketpair()
        self.spool = Spool()
        with ours, theirs, _signals_blocked():
            self.process = subprocess.Popen(
                nursery.command(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self.spool.writing,
                stderr=self.spool.writing,
            )
            self.control = Connection(ours.detach())
        self.born: dict[int, Born] = {}
        self.ended: dict[int, Ended] = {}
        self.between_messages = True
        self.imported: set[str] = set()
        self.surroundings = _surroundings()
        with suppress(OSError):  # the next message reports it
            self.control.send(Hello(path=tuple(sys.path)))

    def read(self, data: Sequence[Data], root: Path) -> None:
        """Let it read data sets, for the workers that are forked from now on."""
        if data:
            self.control.send(Read(data=tuple(data), root=root))

    def bring(self, modules: Sequence[str]) -> None:
        """Let it import modules, for the workers that are forked from now on."""
        if new := [module for module in modules if module not in self.imported]:
            self.control.send(Import(modules=tuple(new)))
            self.imported.update(new)

    def fork(self, number: int, spool: Spool, within_s: float | None = None) -> tuple[Connection, int]:
        """A new worker, by a number that no other has had: its connection and its process.

        A nursery that still imports answers late. Raises NotInTimeError if it does not answer `within_s`.
        """
        deadline = None if within_s is None else time.monotonic() + within_s
        ours, theirs = Pipe()
        self.between_messages = False
        with theirs:
            self.control.send(Fork(number=number))
            send_handle(self.control, theirs.fileno(), self.process.pid)
            for end in (spool.writing, spool.reading):
                send_handle(self.control, end, self.process.pid)
        while number not in self.born:
            self._hear(deadline)
        return ours, self.born.pop(number).pid

    def listen(self) -> None:
        """Take in what it has reported, and show what it has printed.

        `ended` has the end of every worker that has ended.
        """
        self.spool.show()
        while self.control.poll():
            self._hear()

    def ending(self, number: int, timeout_s: float) -> Ended | None:
        """How a worker has ended, once; None if that is not known: it lives, or the nursery has died before it."""
        deadline = time.monotonic() + timeout_s
        with suppress(EOFError, OSError):
            while number not in self.ended and self.control.poll(max(0.0, deadline - time.monotonic())):
                self._hear()
        return self.ended.get(number)

    def close(self) -> None:
        """End it. Its workers have ended before, or go on without it."""
        self.control.close()
        self.process.kill()
        self.process.wait()
        self.spool.show()
        self.spool.close()

    @property
    def usable(self) -> bool:
        """Whether it lives, and was not left in the middle of a message, as by Ctrl-C."""
        return self.between_messages and self.process.poll() is None

    def _hear(self, deadline: float | None = None) -> None:
        self.between_messages = False
        while self.control not in (ready := self._waited(deadline)):
            if not ready:
                raise NotInTimeError
            self.spool.show()  # it goes on when what it prints is taken
        message = self.control.recv()
        self.between_messages = True
        (self.born if isinstance(message, Born) else self.ended)[message.number] = message

    def _waited(self, deadline: float | None) -> list[object]:
        """What it has sent: a message, output, or both; nothing if it sends nothing until the deadline."""
        timeout_s = None if deadline is None else max(0.0, deadline - time.monotonic())
        return list(wait([self.control, self.spool.reading], timeout_s))


_IDLE: list[NurseryProcess] = []
"""At most one, which the last engine of this process has left: importing torch takes seconds."""


def taken() -> NurseryProcess:
    """The idle nursery, if one like it would be started now; else a new one."""
    for kept in [_IDLE.pop() for _ in list(_IDLE)]:
        if kept.usable and kept.surroundings == _surroundings():
            return kept
        kept.close()
    return NurseryProcess()


def start_early() -> None:
    """Start a nursery for the next engine of this process, unless one is idle: it imports while a study is planned."""
    left(taken())


def left(used: NurseryProcess) -> None:
    """Keep a nursery for the next engine of this process, if it can be used again."""
    close_idle()
    if used.usable:
        _IDLE.append(used)
    else:
        used.close()


@atexit.register
def close_idle() -> None:
    """End the nursery that waits for another engine."""
    while _IDLE:
        _IDLE.pop().close()


SET_BY_IMPORTS = frozenset({"_RJEM_MALLOC_CONF"})
"""Variables of the environment that a library sets for itself when it is imported: polars, for its allocator."""


def _surroundings() -> tuple[object, ...]:
    """What a nursery and its workers inherit when it is started."""
    environment = [item for item in sorted(os.environ.items()) if item[0] not in SET_BY_IMPORTS]
    return tuple(sys.path), os.getcwd(), tuple(environment)  # noqa: PTH109


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
