"""The executor `ray`: workers on the machines of a Ray cluster, or of a Ray that is started on this one.

The driver never imports Ray. A process of its own does (`execute/ray_cluster.py`), and it is started again if it dies.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing.connection import Connection, wait
from socket import socketpair
from typing import Annotated

from pydantic import Field

from prunectl.base.errors import FAILED, PrunectlError
from prunectl.base.theirs import third_party
from prunectl.catalog.executor import Asked
from prunectl.execute import ray_cluster
from prunectl.execute.devices import kind_and_places
from prunectl.execute.engine import Executor
from prunectl.execute.outcome import Checking, Event, Outcome, Progress, Request, Status, WorkersChanged
from prunectl.execute.ray_cluster import GRACE_S, Members
from prunectl.execute.ray_joining import Joining, Refused
from prunectl.execute.spool import Spool
from prunectl.execute.task import Task, packed
from prunectl.plan.steps import Key

STARTS = 3
"""How often the process that speaks to Ray is started before a run gives up."""
ENDING_S = 20.0
"""Seconds for Ray to shut down, after all workers have stopped."""
JOINING_S = 1.0
"""Seconds for a process to end that has not joined a Ray: it may not be able to listen."""
HANDED_ON = ("PYDANTIC_DISABLE_PLUGINS", "TORCH_DEVICE_BACKEND_AUTOLOAD")
"""What the command line sets in the environment of every process."""
BROKEN = (EOFError, OSError, pickle.UnpicklingError)
"""What reading a connection raises whose other end is gone."""


class RayError(PrunectlError):
    """The process that speaks to Ray does not stay alive: an accident of the machine."""

    exit_code = FAILED

    def __init__(self) -> None:
        super().__init__(
            f"the process that speaks to Ray ended {STARTS} times",
            hint="finished steps are kept: run the same command to continue",
        )


class RayEngine:
    """Steps by the workers of a Ray cluster."""

    def __init__(self, joining: Joining) -> None:
        self.joining = joining
        self.running: dict[Key, Request] = {}
        self.members = Members(jobs=0, label="waiting for Ray")
        self.joined = joining.address is None
        """Whether there is something to end: a Ray that is started here, or workers in one that was joined."""
        self.process: _Process | None = None
        self.starts = 0

    @property
    def jobs(self) -> int:
        """The number of workers that are ready."""
        return self.members.jobs

    @property
    def label(self) -> str:
        """How many workers there are, and where."""
        return self.members.label

    def start(self, request: Request) -> None:
        """Hand a request on. Raises RayError."""
        self.running[request.key] = request
        task = Task(key=request.key, packed=packed(replace(request, devices=())))
        process = self._alive()
        with suppress(OSError):  # `wait` reports its end
            process.control.send(task)

    def wait(self, timeout_s: float) -> Iterator[Event | Checking]:
        """What was reported since the last call; waits for a report at most this long. Raises PrunectlError."""
        process = self._alive()
        ready = wait([process.control, process.spool.reading], timeout_s)
        process.spool.show()
        if process.control not in ready:
            return
        try:
            while process.control.poll():
                yield from self._received(process.control.recv())
        except BROKEN:
            yield from self._lost()

    def stop(self) -> None:
        """Let workers leave snapshots; shut a Ray down that this engine has started."""
        if self.process is not None:
            moments = [request.until.at for request in self.running.values() if request.until is not None]
            left_s = min(GRACE_S, max(0.0, min(moments) - time.time())) if moments else GRACE_S
            self.process.end(left_s + ENDING_S if self.joined else JOINING_S)
            self.process = None
        self.running.clear()

    def _alive(self) -> _Process:
        if self.process is None:
            if self.starts == STARTS:
                raise RayError
            self.starts += 1
            self.process = _Process(self.joining)
        return self.process

    def _received(self, message: Outcome | Progress | Checking | Members | Refused) -> Iterator[Event | Checking]:
        if isinstance(message, Refused):
            raise PrunectlError(message.message, hint=message.hint)
        if isinstance(message, Members):
            self.members = message
            self.joined = True
            yield WorkersChanged(label=message.label)
            return
        if isinstance(message, Outcome):
            self.running.pop(message.key, None)
        yield message

    def _lost(self) -> Iterator[Outcome]:
        """The process has died, and a Ray that it had started with it."""
        assert self.process is not None
        self.process.end(0.0)
        self.process = None
        self.members = replace(self.members, jobs=0)
        for key in list(self.running):
            del self.running[key]
            yield Outcome(key=key, status=Status.LOST, reason="the process that speaks to Ray was killed")


class _Process:
    """The process that speaks to Ray. No signal of a terminal reaches it, and it has no stream of the command."""

    def __init__(self, joining: Joining) -> None:
        ours, theirs = socketpair()
        self.spool = Spool()
        with ours, theirs:
            self.process = subprocess.Popen(
                ray_cluster.command(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self.spool.writing,
                stderr=self.spool.writing,
                start_new_session=True,
            )
            self.control = Connection(ours.detach())
        with suppress(OSError):  # the next message reports it
            self.control.send(joining)

    def end(self, grace_s: float) -> None:
        """Ask it to end, and wait for that; what it reports meanwhile is not needed."""
        deadline = time.monotonic() + grace_s
        with suppress(*BROKEN):
            self.control.send(None)
            while ready := wait([self.control, self.spool.reading], max(0.0, deadline - time.monotonic())):
                self.spool.show()
                if self.control in ready:
                    self.control.recv()
        self.control.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        self.process.kill()
        self.process.wait()
        self.spool.show()
        self.spool.close()


class Ray(Executor):
    """Workers as actors of a Ray cluster: of `address`, of RAY_ADDRESS, else of a Ray on this machine alone."""

    name = "ray"
    summary = "workers on the machines of a Ray cluster; needs prunectl[ray]"
    elsewhere = True

    address: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="the cluster's address, HOST:PORT; by default RAY_ADDRESS, else a Ray is started here"
    )
    workers: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="how many workers; by default as many as the cluster has room for"
    )
    cpus: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="CPUs that Ray reserves for each worker; by default as many as --threads"
    )

    def engine(self, jobs: int, imports: Sequence[str]) -> RayEngine:
        """An engine with up to `jobs` workers on each device."""
        return self.engine_for(Asked(jobs=jobs), jobs, imports)

    def engine_for(self, asked: Asked, jobs: int, imports: Sequence[str]) -> RayEngine:
        """An engine for what a user asked for; Ray is joined or started at its first request. Raises PrunectlError."""
        if find_spec("ray") is None:
            raise PrunectlError(
                "--executor ray needs the package ray, which is not installed", hint="pip install 'prunectl[ray]'"
            )
        return RayEngine(
            Joining(
                address=_address(self.address or os.environ.get("RAY_ADDRESS") or None),
                device=_device(asked.device),
                jobs=asked.jobs,
                workers=self.workers,
                cpus=self.cpus or asked.threads,
                threads=asked.threads,
                cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
                imports=tuple(module for module in imports if not third_party(module, None)),
                path=tuple(sys.path),
                environment={name: os.environ[name] for name in HANDED_ON if name in os.environ},
            )
        )


def _address(address: str | None) -> str | None:
    """Raises PrunectlError for the address of a Ray client, which passes no streams on."""
    if address is not None and address.startswith("ray://"):
        hint = "give the address of the head node, HOST:6379, and run prunectl on a machine of the cluster"
        raise PrunectlError(f"--executor ray cannot use the address {address} of a Ray client", hint=hint)
    return None if address == "local" else address


def _device(asked: str) -> str:
    kind, places = kind_and_places(asked)
    if places:
        hint = "use --device cuda; CUDA_VISIBLE_DEVICES at `ray start` limits the GPUs of a node"
        raise PrunectlError(f"--device {asked} names GPUs of one machine, but with Ray there may be several", hint=hint)
    return kind
