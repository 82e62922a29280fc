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
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle
from pathlib import Path

from prunectl.execute.spool import Spool
from prunectl.plan.steps import Data

WORKER = "prunectl.execute.worker"
GRACE_S = 30.0
"""Seconds for workers to save a snapshot after their driver has died."""


@dataclass(frozen=True, kw_only=True)
class Hello:
    """The first message to a nursery: where modules are found."""

    path: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Import:
    """Import modules besides the workers' own, so that every worker that is forked afterwards has them."""

    modules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Read:
    """Read data sets, so that every worker that is forked afterwards has them."""

    data: tuple[Data, ...]
    root: Path


@dataclass(frozen=True, kw_only=True)
class Fork:
    """Fork a worker. The descriptors of its connection and of both ends of its spool follow."""

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
    finally:
        os._exit(0)  # skip the seconds that torch takes to exit; nobody may be left to read a traceback


def _live(control: Connection) -> None:
    gc.disable()  # nothing that an import makes is garbage, and looking for it takes a fifth of the time
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the driver decides what ends
    sys.path[:] = control.recv().path
    early = Early(control)
    import_module(WORKER).prepare()
    message = early.ended()
    if message is not None:
        nursery = Nursery(control)
        nursery.answer(message)
        nursery.serve()
        nursery.end()


class Early(threading.Thread):
    """Reads data while modules are imported, up to the first message that asks for something else.

    It has ended before a worker is forked: a forked process has one thread.
    """

    def __init__(self, control: Connection) -> None:
        super().__init__(daemon=True)
        self.control = control
        self.message: object = None
        self.start()

    def run(self) -> None:
        """Read what the driver asks for. A driver that is gone ends it."""
        with suppress(EOFError, ConnectionError):
            while isinstance(message := self.control.recv(), Read):
                _read(message)
            self.message = message

    def ended(self) -> object:
        """The message that ended it; None if the driver is gone."""
        self.join()
        return self.message


def _read(message: Read) -> None:
    from prunectl.work.originals import arrays_of

    for data in message.data:
        with suppress(Exception):  # missing, or damaged: the step that needs it reports that
            arrays_of(data, message.root)


@dataclass
class Nursery:
    """Forks workers and reports their ends."""

    control: Connection
    numbers: dict[int, int] = field(default_factory=dict)
    """The workers that are alive, by process."""
    imported: bool = True
    """Whether modules have been imported since memory was last frozen."""

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
            self.answer(self.control.recv())
        except (EOFError, ConnectionError):
            return False
        return True

    def answer(self, message: object) -> None:
        """Do what a message asks. Raises EOFError or ConnectionError if the driver is gone."""
        if isinstance(message, Read):
            _read(message)
        elif isinstance(message, Import):
            self._import(message.modules)
        elif isinstance(message, Fork):
            self._freeze()
            self._fork(message.number, [recv_handle(self.control) for _ in range(3)])

    def _import(self, modules: Sequence[str]) -> None:
        gc.disable()
        self.imported = True
        for module in modules:
            with suppress(Exception):  # the step that needs it reports what is wrong
                import_module(module)

    def _freeze(self) -> None:
        """Else the first collection in each worker walks all of torch, and copies every page that it shares."""
        if self.imported:
            gc.enable()
            gc.freeze()
        self.imported = False

    def _fork(self, number: int, handles: Sequence[int]) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()  # or the worker would print it as its own
        pid = os.fork()
        if pid:
            for handle in handles:
                os.close(handle)
            self.numbers[pid] = number
            self.control.send(Born(number=number, pid=pid))
            return
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self.control.fileno())
            connection, writing, reading = handles
            import_module(WORKER).main(Connection(connection), Spool(writing, reading))
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
