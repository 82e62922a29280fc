"""The process that workers are forked from. It has imported torch and read the data, once for all of them.

It never uses either: a process that forks must not have started the threads of torch, nor touched a GPU. It answers
its driver on one connection, which also brings the descriptors of each worker's own. When that is closed it ends its
workers and then itself. No torch here, so that the driver can import this module.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle
from pathlib import Path

from prunectl.plan.steps import Data

WORKER = "prunectl.execute.worker"
GRACE_S = 30.0
"""Seconds for workers to save a snapshot after their driver has died."""


@dataclass(frozen=True, kw_only=True)
class Hello:
    """The first message to a nursery: where modules are found, and what to import besides the workers' own."""

    path: tuple[str, ...]
    imports: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Read:
    """Read data sets, so that every worker that is forked afterwards has them."""

    data: tuple[Data, ...]
    root: Path


@dataclass(frozen=True, kw_only=True)
class Fork:
    """Fork a worker. The descriptors of its connection and of its spool follow."""

    number: int


@dataclass(frozen=True, kw_only=True)
class Born:
    """A worker was forked."""

    number: int
    pid: int


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A worker has ended: with an exit status, or minus the number of the signal that killed it."""

    number: int
    code: int
    peak_bytes: int


def main(descriptor: int) -> None:
    """The whole life of a nursery, on one end of a socket."""
    try:
        _live(Connection(descriptor))
    except (EOFError, ConnectionError):
        pass  # the driver is gone before it sent anything
    except BaseException:
        traceback.print_exc()
    os._exit(0)  # skip the seconds that torch takes to exit


def _live(control: Connection) -> None:
    gc.disable()  # nothing that an import makes is garbage, and looking for it takes a fifth of the time
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the driver decides what ends
    hello = control.recv()
    sys.path[:] = hello.path
    import_module(WORKER).prepare()
    for module in hello.imports:
        with suppress(Exception):  # the step that needs it reports what is wrong
            import_module(module)
    gc.enable()
    gc.freeze()  # else the first collection in each worker walks all of torch, and copies every page that it shares
    nursery = Nursery(control)
    nursery.serve()
    nursery.end()


@dataclass
class Nursery:
    """Forks workers and reports their ends."""

    control: Connection
    numbers: dict[int, int] = field(default_factory=dict)
    """The workers that are alive, by process."""

    def serve(self) -> None:
        """Answer until the driver is gone."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        endings = Connection(reading, writable=False)
        while True:
            ready = wait([self.control, endings])
            if endings in ready:
                os.read(reading, 4096)
                self._reap()
            if self.control in ready and not self._answer():
                return

    def end(self) -> None:
        """End the workers: a driver that was killed cannot do it."""
        for number, grace_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, 1.0)):
            deadline = time.monotonic() + grace_s
            for pid in self.numbers:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            while self.numbers and time.monotonic() < deadline:
                self._reap()
                time.sleep(0.02)

    def _answer(self) -> bool:
        """One message. False if the driver is gone."""
        try:
            message = self.control.recv()
            if isinstance(message, Read):
                self._read(message)
            elif isinstance(message, Fork):
                self._fork(message.number, recv_handle(self.control), recv_handle(self.control))
        except (EOFError, ConnectionError):
            return False
        return True

    def _read(self, message: Read) -> None:
        from prunectl.work import held

        for data in message.data:
            with suppress(Exception):  # missing, or damaged: the step that needs it reports that
                held.read(data, message.root)

    def _fork(self, number: int, connection: int, spool: int) -> None:
        pid = os.fork()
        if pid:
            os.close(connection)
            os.close(spool)
            self.numbers[pid] = number
            self.control.send(Born(number=number, pid=pid))
            return
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self.control.fileno())
            import_module(WORKER).main(Connection(connection), spool)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)  # a worker never becomes a second nursery

    def _reap(self) -> None:
        while self.numbers:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            number = self.numbers.pop(pid, None)
            if number is not None:
                peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
                code = os.waitstatus_to_exitcode(status)
                with suppress(ConnectionError):  # nobody asks any more
                    self.control.send(Ended(number=number, code=code, peak_bytes=peak_bytes))


def command(descriptor: int) -> Sequence[str]:
    """The command that starts a nursery on a descriptor."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from prunectl.execute.nursery import main; main({descriptor})"
    return [sys.executable, "-c", code]
