"""Nurseries for tests, forked from a process that has imported torch: importing it takes seconds for each of them.

They are processes with a life of their own, as those that `execute/started.py` starts; only their imports are done.
Tests of how a nursery starts use the fixture `cold`, and tests that kill whole sessions start commands by `command`.
"""

from __future__ import annotations

import atexit
import gc
import os
import select
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
    """What a nursery inherits from whoever starts it. The descriptors of its control and its stderr follow."""

    folder: str
    environment: Mapping[str, str]


class Forked:
    """What `subprocess.Popen` would return for a nursery."""

    def __init__(self, command: Sequence[str], *, pass_fds: Sequence[int], stdin: int, stdout: int) -> None:
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
    address = str(Path(tempfile.mkdtemp(prefix="warm-")) / "socket")
    code = f"import sys; sys.path[:] = {sys.path!r}; import warm; warm.serve({address!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"listening\n"
    atexit.register(process.communicate)  # it ends when its stdin is closed
    return address


def serve(address: str) -> None:
    """Fork a nursery for everybody who connects, until stdin is closed."""
    gc.disable()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        os.write(1, b"listening\n")
        for name in IMPORTED:
            import_module(name)
        gc.freeze()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for nurseries
        while server in select.select([server, sys.stdin], [], [])[0]:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _fork(Connection(connection.detach()))
            connection.close()
    Path(address).unlink()
    Path(address).parent.rmdir()


def _fork(life: Connection) -> None:
    """Fork one nursery, and report its process and its end to whoever asked for it, if it still lives."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        start: Start = life.recv()
        control, stderr = recv_handle(life), recv_handle(life)
        pid = os.fork()
        if pid == 0:
            life.close()
            _become(start, stderr)
            nursery.main(control)
        os.close(control)
        os.close(stderr)
        life.send(pid)
        life.send(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    except (EOFError, ConnectionError):
        pass
    finally:
        os._exit(0)


def _become(start: Start, stderr: int) -> None:
    """Take on what a new process would inherit."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, number in ((nothing, 0), (stderr, 1), (stderr, 2)):
        os.dup2(descriptor, number)
    os.chdir(start.folder)
    os.environ.clear()
    os.environ.update(start.environment)
    if shown := os.environ.get("PYTHONWARNINGS"):
        warnings.simplefilter(shown)  # type: ignore[arg-type]
    invalidate_caches()
    gc.enable()
