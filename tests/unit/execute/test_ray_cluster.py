"""How actors are described, and their life, with a stand-in for Ray."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from multiprocessing import Pipe
from types import ModuleType
from typing import Any

import pytest

from joining import joining
from prunectl.execute.outcome import Outcome, Status
from prunectl.execute.ray_cluster import STARTS, Cluster, Members, described_members
from prunectl.execute.ray_host import Host, Place
from prunectl.execute.ray_joining import RefusedError, Size
from prunectl.execute.task import Task
from prunectl.plan.preflight import PREFLIGHT
from prunectl.plan.steps import Key


def test_workers_are_described_by_their_devices_and_nodes() -> None:
    places = [Place(node="b", device="cuda"), Place(node="a", device="cpu"), Place(node="a", device="cpu")]
    assert described_members(places) == "3 workers: 2 on cpu of a and 1 on cuda of b"
    assert described_members([]) == "no worker is left; waiting for Ray"


# ---- the life of actors, with a stand-in for Ray ---------------------------------------------------------


class DeadError(Exception):
    """As Ray's own errors: of an actor that has died."""


class Actor:
    """Does each task as its key demands: "done" at once, "dies" in the middle of it, "long" until it is stopped."""

    def __init__(self, place: Place | Exception) -> None:
        self.where = place
        self.stopped = asyncio.Event()
        self.done: list[tuple[str, bool]] = []
        self.gone = False
        self.place, self.stop = Method(self._place), Method(self._stop)
        self.do, self.share = Method(self._do), Method(self._share)

    async def _place(self) -> Place:
        if isinstance(self.where, Exception):
            raise self.where
        return self.where

    async def _share(self, packed: bytes) -> None:
        self.done.append(("share", False))

    def _stop(self) -> None:
        self.stopped.set()

    async def _do(self, key: str, packed: bytes, suspect: bool) -> AsyncIterator[Awaitable[Outcome | None]]:
        if self.gone:
            raise DeadError("The actor died before it executed the task.")
        yield asyncio.sleep(0, None)
        self.done.append((key, suspect))
        if key == "dies" and not suspect:
            raise DeadError("The actor is dead. It was killed.\nmore")
        if key == "long":
            await self.stopped.wait()
        yield asyncio.sleep(0, Outcome(key=Key(key), status=Status.STOPPED if key == "long" else Status.DONE))


class Method:
    """A method of an actor, as Ray has it."""

    def __init__(self, remote: Callable[..., Any]) -> None:
        self.remote = remote

    def options(self, **options: object) -> Method:
        return self


class StandIn(ModuleType):
    """Ray, as far as a cluster uses it."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.next: list[Actor] = []
        """What is created before ordinary actors."""
        self.created: list[Actor] = []
        self.exceptions = ModuleType("ray.exceptions")
        self.exceptions.__dict__["RayError"] = DeadError

    def remote(self, kind: type) -> Method:
        assert kind is Host
        return Method(self._create)

    def _create(self, hosting: object) -> Actor:
        self.created.append(self.next.pop(0) if self.next else Actor(Place(node="a", device="cpu")))
        return self.created[-1]

    def kill(self, actor: Actor) -> None:
        actor.gone = True


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "ray", stand_in)
    monkeypatch.setitem(sys.modules, "ray.exceptions", stand_in.exceptions)
    return stand_in


def heard(*keys: str, outcomes: int, begun: Callable[[], bool] = lambda: True) -> list[Any]:
    """What a driver hears of a cluster of one actor to which it sends tasks, a lost one again.

    It asks to stop when this many have ended, and something has begun.
    """
    ours, theirs = Pipe()
    events: list[Any] = []

    async def drive() -> None:
        serving = asyncio.create_task(Cluster(theirs, joining(), Size(actors=1, cpus=1, gpus=0.0)).serve())
        for key in keys:
            ours.send(Task(key=Key(key), packed=b""))
        while (len(outcomes_of(events)) < outcomes or not begun()) and not serving.done():
            await asyncio.sleep(0.001)
            while ours.poll():
                events.append(ours.recv())
                if isinstance(events[-1], Outcome) and events[-1].status is Status.LOST:
                    ours.send(Task(key=events[-1].key, packed=b""))
        ours.send(None)
        await serving
        while ours.poll():
            events.append(ours.recv())

    asyncio.run(drive())
    return events


def outcomes_of(events: list[Any]) -> list[tuple[str, Status]]:
    return [(event.key, event.status) for event in events if isinstance(event, Outcome)]


def test_actors_share_the_tasks_and_those_that_come_later_get_the_data(ray: StandIn) -> None:
    events = heard(PREFLIGHT, "done", outcomes=2)
    assert Members(jobs=1, label="1 worker: 1 on cpu of a") in events
    assert outcomes_of(events) == [(PREFLIGHT, Status.DONE), ("done", Status.DONE)]
    assert ray.created[0].done[-1] == ("done", False)


def test_the_step_of_an_actor_that_dies_is_lost_and_then_suspect(ray: StandIn) -> None:
    events = heard("dies", outcomes=2)
    assert outcomes_of(events) == [("dies", Status.LOST), ("dies", Status.DONE)]
    assert next(event.reason for event in events if isinstance(event, Outcome)) == ("its actor on a: The actor is dead")
    first, second = ray.created
    assert first.gone and second.done == [("dies", True)]


def test_a_step_that_a_dead_actor_never_began_is_not_lost(ray: StandIn) -> None:
    ray.next = [Actor(Place(node="b", device="cpu"))]
    ray.next[0].gone = True
    assert outcomes_of(heard("done", outcomes=1)) == [("done", Status.DONE)]
    assert ray.created[1].done == [("done", False)]


def test_asked_to_stop_it_waits_for_what_is_being_done(ray: StandIn) -> None:
    events = heard("long", outcomes=0, begun=lambda: [actor.done for actor in ray.created] == [[("long", False)]])
    assert outcomes_of(events) == [("long", Status.STOPPED)]


@pytest.mark.parametrize(
    ("place", "created", "expected"),
    [
        (DeadError("ModuleNotFoundError: prunectl"), STARTS, "ended 3 times before it was ready: ModuleNotFoundError"),
        (Place(node="b", problem="no device 'cuda'"), 1, "a worker on b cannot be used: no device 'cuda'"),
        (Place(node="b", device="cpu", version="0.0"), 1, "it has prunectl 0.0, and this is"),
    ],
)
def test_actors_that_cannot_work_end_the_run_with_the_reason(
    ray: StandIn, place: Place | Exception, created: int, expected: str
) -> None:
    ray.next = [Actor(place) for _ in range(STARTS)]
    with pytest.raises(RefusedError, match=expected) as raised:
        heard("done", outcomes=1)
    assert raised.value.refused.hint is not None and "every node" in raised.value.refused.hint
    assert len(ray.created) == created
