"""Nurseries for tests, forked from a process that has imported torch: importing it takes seconds for each of them.

They are processes with a life of their own, as those that `execute/started.py` starts; only their imports are done.
No pipe is read to its end here, and nothing that is forked here inherits the streams of the tests or of a command:
whoever reads those to their end waits for no process but the one that was started.
Tests of how a nursery starts use the fixture `cold`, and tests that kill whole sessions start commands by `command`.
"""

from __future__ import annotations

import atexit
import gc
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module, invalidate_caches
from multiprocessing.connection import Client, Connection
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from types import SimpleNamespace

from prunectl.execute import nursery, started

ADDRESS = "PRUNECTL_TEST_WARM"
"""The variable of the environment that names to a command the socket of the process that forks."""

IMPORTED = (nursery.WORKER, "torchvision.transforms.functional")


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a nursery inherits from whoever starts it. The descriptors of its control and its output follow."""

    folder: str
    environment: Mapping[str, str]


class Forked:
    """What `subprocess.Popen` would return for a nursery."""

    def __init__(
        self, command: Sequence[str], *, pass_fds: Sequence[int], stdin: int, stdout: int, stderr: int
    ) -> None:
        assert stdout == stderr
        self.returncode: int | None = None
        self._life = Client(os.environ.get(ADDRESS) or begin(), family="AF_UNIX")
        self._life.send(Start(folder=str(Path.cwd()), environment=dict(os.environ)))
        for descriptor in (*pass_fds, stdout):
            send_handle(self._life, descriptor, 0)
        self.pid: int = self._life.recv()

    def poll(self) -> int | None:
        """Its exit status; None while it lives."""
        return self.wait() if self.returncode is None and self._life.poll() else self.returncode

    def wait(self) -> int:
        """Its exit status, when it has ended."""
        if self.returncode is None:
            self.returncode = self._life.recv()
            self._life.close()
        return self.returncode

    def kill(self) -> None:
        """kill -9."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def use() -> None:
    """From now on the nurseries of this process are forked."""
    vars(started)["subprocess"] = SimpleNamespace(Popen=Forked, DEVNULL=subprocess.DEVNULL)


@contextmanager
def without() -> Iterator[None]:
    """Nurseries are started."""
    started.close_idle()
    vars(started)["subprocess"] = subprocess
    yield
    started.close_idle()
    use()


@cache
def begin() -> str:
    """Start the process that forks; its address. It ends with this one."""
    folder = tempfile.mkdtemp(prefix="warm-")
    address = str(Path(folder) / "socket")
    code = f"import sys; sys.path[:] = {sys.path!r}; import warm; warm.serve({address!r}, {IMPORTED!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as listening:
        assert listening.readline() == b"listening\n"
    atexit.register(_end, process, folder)
    return address


def _end(process: subprocess.Popen[bytes], folder: str) -> None:
    """Nurseries may live, and their ends are nobody's to wait for: their drivers end them."""
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def serve(address: str, imported: Sequence[str]) -> None:
    """Fork a nursery for everybody who connects, until it is killed; or stdin is closed, if the tests were killed."""
    gc.disable()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        os.write(1, b"listening\n")
        _redirect(1)
        for name in imported:
            import_module(name)
        gc.freeze()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for nurseries
        while server in select.select([server, sys.stdin], [], [])[0]:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _fork(Connection(connection.detach()))
            connection.close()
    shutil.rmtree(Path(address).parent, ignore_errors=True)


def _redirect(*numbers: int) -> None:
    """Let go of streams that this process has inherited."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in numbers:
        os.dup2(nothing, number)
    os.close(nothing)


def _fork(life: Connection) -> None:
    """Fork one nursery, and report its process and its end to whoever asked for it, if it still lives."""
    try:
        _redirect(0, 1, 2)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        start: Start = life.recv()
        control, output = recv_handle(life), recv_handle(life)
        pid = os.fork()
        if pid == 0:
            life.close()
            _become(start, output)
            nursery.main(control)
        os.close(control)
        os.close(output)
        life.send(pid)
        life.send(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    except (EOFError, ConnectionError):
        pass
    finally:
        os._exit(0)


def _become(start: Start, output: int) -> None:
    """Take on what a new process would inherit."""
    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    os.chdir(start.folder)
    os.environ.clear()
    os.environ.update(start.environment)
    if shown := os.environ.get("PYTHONWARNINGS"):
        warnings.simplefilter(shown)  # type: ignore[arg-type]
    invalidate_caches()
    gc.enable()
