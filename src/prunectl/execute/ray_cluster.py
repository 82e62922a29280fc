"""The process between a driver and Ray: it joins or starts a Ray, keeps its actors, and passes messages on.

Ray prints to stdout, changes the environment, answers signals and starts threads: here none of that meets the driver,
whose stdout and stderr are not inherited. When the driver asks for it or is gone, the actors are stopped, so that
trainings leave snapshots, and a Ray that was started here is shut down.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from prunectl.base.text import and_list, plural
from prunectl.base.version import __version__
from prunectl.execute.outcome import Outcome, Status
from prunectl.execute.ray_host import Host, Hosting, Place
from prunectl.execute.ray_joining import Joining, RefusedError, Size, join, size
from prunectl.execute.task import Task
from prunectl.plan.preflight import PREFLIGHT
from prunectl.plan.steps import Key

GATHER_S = 5.0
"""How long several actors that start together are reported as one change."""
STARTS = 3
"""How often an actor may end before it has begun."""
GRACE_S = 40.0
"""Seconds for all actors to stop: more than a local engine gives its workers."""


@dataclass(frozen=True, kw_only=True)
class Members:
    """The actors that are ready, and where they are."""

    jobs: int
    label: str


def main(descriptor: int) -> None:
    """The whole life of the process, on one end of a socket."""
    control = Connection(descriptor)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the driver decides what ends
    try:
        try:
            asyncio.run(_live(control, control.recv()))
        except RefusedError as error:
            control.send(error.refused)
    except (EOFError, ConnectionError):
        pass  # the driver is gone; finished work is in the store
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


async def _live(control: Connection, joining: Joining) -> None:
    join(joining)
    import ray  # not before: its import reads the environment

    try:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        await Cluster(control, joining, size(joining, nodes)).serve()
    finally:
        ray.shutdown()


class Cluster:
    """The actors of a run."""

    def __init__(self, control: Connection, joining: Joining, size: Size) -> None:
        self.control, self.joining, self.size = control, joining, size
        self.tasks: asyncio.Queue[Task] = asyncio.Queue()
        self.preflight: Task | None = None
        self.suspects: set[Key] = set()
        """Steps whose worker has died: they get a fresh one."""
        self.places: dict[Any, Place] = {}
        """The actors that are ready."""
        self.busy: set[Any] = set()
        """The actors that do a task."""
        self.starting = size.actors
        self.ended = asyncio.Event()
        self.failure: RefusedError | None = None
        self.label = ""

    async def serve(self) -> None:
        """Do what the driver sends, until it asks to stop or is gone. Raises RefusedError."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self.control.fileno(), self._heard)
        keepers = [loop.create_task(self._keep()) for _ in range(self.size.actors)]
        await self.ended.wait()
        loop.remove_reader(self.control.fileno())
        await self._stop(keepers)
        if self.failure is not None:
            raise self.failure

    def _heard(self) -> None:
        try:
            message = self.control.recv()
        except (EOFError, OSError):
            message = None
        if not isinstance(message, Task):
            self.ended.set()
            return
        if message.key == PREFLIGHT:
            self.preflight = message
        self.tasks.put_nowait(message)

    def _send(self, message: object) -> None:
        try:
            self.control.send(message)
        except OSError:
            self.ended.set()

    async def _keep(self) -> None:
        """Keep one actor alive: when it dies, another takes its place as soon as Ray has room for it."""
        import ray
        from ray.exceptions import RayError

        vain, why = 0, ""
        while vain < STARTS:
            actor = self._created()
            try:
                await self._serve(actor)
            except RayError as error:
                vain = 0 if actor in self.places else vain + 1
                why = _reason(error)
                ray.kill(actor)  # it may live, if only one of its methods raised something
            if self.places.pop(actor, None) is not None:
                self.starting += 1
            self._changed()
        self._refuse(RefusedError(f"a Ray actor ended {STARTS} times before it was ready: {why}", INSTALLED))

    def _created(self) -> Any:
        import ray

        hosting = Hosting(
            device="cuda" if self.size.gpus else "cpu",
            jobs=self.size.actors,
            readers=max(0, int(self.size.cpus) - self.joining.threads),
            imports=self.joining.imports,
            path=self.joining.path,
            environment=self.joining.environment,
        )
        options = {"num_cpus": self.size.cpus, "num_gpus": self.size.gpus, "scheduling_strategy": "SPREAD"}
        return ray.remote(Host).options(**options, max_concurrency=3).remote(hosting)

    async def _serve(self, actor: Any) -> None:
        """Give an actor one task after another. Raises RayError when it has died."""
        place: Place = await actor.place.remote()
        problem = place.problem or _other_version(place)
        if problem:
            self._refuse(RefusedError(f"a worker on {place.node} cannot be used: {problem}", INSTALLED))
            await asyncio.Event().wait()
        self.places[actor] = place
        self.starting -= 1
        self._changed()
        if self.preflight is not None:
            await actor.share.remote(self.preflight.packed)
        while True:
            await self._do(actor, await self.tasks.get())

    async def _do(self, actor: Any, task: Task) -> None:
        """One task. If the actor has died before it began, another does it; else the driver decides."""
        from ray.exceptions import RayError

        begun = False
        self.busy.add(actor)
        try:
            doing = actor.do.options(num_returns="streaming").remote(task.key, task.packed, task.key in self.suspects)
            async for reference in doing:
                event = await reference
                begun = True
                if isinstance(event, Outcome):
                    (self.suspects.add if event.status is Status.LOST else self.suspects.discard)(event.key)
                if event is not None:
                    self._send(event)
        except RayError as error:
            if begun:
                self.suspects.add(task.key)
                where = self.places[actor].node
                self._send(Outcome(key=task.key, status=Status.LOST, reason=f"its actor on {where}: {_reason(error)}"))
            else:
                self.tasks.put_nowait(task)
            raise
        finally:
            self.busy.discard(actor)

    def _changed(self) -> None:
        """Report the actors that are ready: at once when none is starting, else a little later."""
        delay_s = GATHER_S if self.starting and self.places else 0.0
        asyncio.get_running_loop().call_later(delay_s, self._report)

    def _report(self) -> None:
        label = described_members(list(self.places.values()))
        if label != self.label:
            self.label = label
            self._send(Members(jobs=len(self.places), label=label))

    def _refuse(self, error: RefusedError) -> None:
        self.failure = self.failure or error
        self.ended.set()

    async def _stop(self, keepers: Sequence[asyncio.Task[None]]) -> None:
        """Ask every actor to stop, and wait until none does a step."""
        for actor in self.places:
            actor.stop.remote()
        while not self.tasks.empty():
            self.tasks.get_nowait()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GRACE_S
        while self.busy and loop.time() < deadline:
            await asyncio.sleep(0.05)
        for keeper in keepers:
            keeper.cancel()


INSTALLED = "every node of the cluster needs the same Python and the same prunectl"


def described_members(places: Sequence[Place]) -> str:
    """'4 workers: 2 on cpu of a, 2 on cuda of b'."""
    counts = Counter((place.device, place.node) for place in places)
    where = [f"{count} on {device} of {node}" for (device, node), count in sorted(counts.items())]
    return f"{plural(len(places), 'worker')}: {and_list(where)}" if where else "no worker is left; waiting for Ray"


def _other_version(place: Place) -> str:
    return "" if place.version == __version__ else f"it has prunectl {place.version}, and this is {__version__}"


def _reason(error: Exception) -> str:
    """What Ray reports about an actor, its first sentence."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return first.partition(". ")[0].rstrip(".")


def command(descriptor: int) -> Sequence[str]:
    """The command that starts this process on a descriptor."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from prunectl.execute.ray_cluster import main; main({descriptor})"
    return [sys.executable, "-c", code]
