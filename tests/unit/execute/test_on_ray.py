"""The executor `ray` as the driver has it: what it refuses, and how it takes reports and the end of its process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from prunectl.api.machine import Machine, executor_of, settled
from prunectl.base.errors import PrunectlError
from prunectl.catalog.executor import Asked
from prunectl.execute import on_ray, ray_cluster
from prunectl.execute.on_ray import ENDING_S, JOINING_S, STARTS, Ray, RayEngine, RayError
from prunectl.execute.outcome import Checking, Event, Outcome, Progress, Request, Status, WorkersChanged
from prunectl.execute.ray_cluster import GRACE_S, Members
from prunectl.plan.preflight import PREFLIGHT, Preflight
from prunectl.plan.steps import Key

KEY = Key("k")

STAND_IN = """
import sys
sys.path[:] = {path!r}
from multiprocessing.connection import Connection
from prunectl.execute.outcome import Outcome, Progress, Status
from prunectl.execute.ray_cluster import Members
from prunectl.execute.ray_joining import Refused

control = Connection({descriptor})
joining = control.recv()
print("Ray prints to stdout")
if joining.address == "nowhere":
    control.send(Refused(message="no Ray at nowhere", hint="start one"))
control.send(Members(jobs=2, label="2 workers: 2 on cpu of a"))
while (task := control.recv()) is not None:
    if joining.address == "mortal":
        sys.exit(1)
    control.send(Progress(key=task.key, done=1, total=2))
    control.send(Outcome(key=task.key, status=Status.DONE))
"""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that answers at once, in place of the one that speaks to Ray."""

    def command(descriptor: int) -> Sequence[str]:
        return [sys.executable, "-c", STAND_IN.format(path=sys.path, descriptor=descriptor)]

    monkeypatch.setattr(ray_cluster, "command", command)


def engine(address: str = "head:6379") -> RayEngine:
    return Ray(address=address).engine_for(Asked(device="cpu"), 1, ())


def request_(key: Key = PREFLIGHT) -> Request:
    step = Preflight(networks=(), data=(), exclude=(), asked=(), seed=1, train_size=1, leaves_one=())
    return Request(key=key, step=step, store=Path("store"), data=Path("data"), device="cpu", threads=1)


def until_outcomes(engine: RayEngine, count: int) -> list[Event | Checking]:
    events: list[Event | Checking] = []
    while sum(isinstance(event, Outcome) for event in events) < count:
        events += engine.wait(10.0)
    return events


@pytest.mark.usefixtures("stand_in")
def test_requests_are_done_and_workers_are_counted(capfd: pytest.CaptureFixture[str]) -> None:
    used = engine()
    assert (used.jobs, used.label) == (0, "waiting for Ray")
    used.start(request_(KEY))
    assert set(used.running) == {KEY}
    assert until_outcomes(used, 1) == [
        WorkersChanged(label="2 workers: 2 on cpu of a"),
        Progress(key=KEY, done=1, total=2),
        Outcome(key=KEY, status=Status.DONE),
    ]
    assert (used.jobs, used.label, used.running) == (2, "2 workers: 2 on cpu of a", {})
    used.stop()
    used.stop()
    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("stand_in")
def test_a_process_that_dies_loses_its_steps_and_is_started_again_but_not_for_ever() -> None:
    used = engine("mortal")
    for _ in range(STARTS):
        used.start(request_(KEY))
        lost = until_outcomes(used, 1)[-1]
        assert isinstance(lost, Outcome) and lost.status is Status.LOST and "was killed" in lost.reason
        assert (used.jobs, used.running) == (0, {})
    with pytest.raises(RayError, match="ended 3 times"):
        used.start(request_(KEY))
    used.stop()


@pytest.mark.parametrize(
    ("address", "events", "grace_s"),
    [
        ("head:6379", [], JOINING_S),
        ("head:6379", [Members(jobs=1, label="1 worker")], GRACE_S + ENDING_S),
        ("local", [], GRACE_S + ENDING_S),
    ],
)
def test_only_what_has_joined_a_ray_is_waited_for(address: str, events: list[Members], grace_s: float) -> None:
    """A process that still tries to join one does not listen; a Ray that is started here has to be shut down."""
    graces: list[float] = []
    used = engine(address)
    used.process = SimpleNamespace(end=graces.append)  # type: ignore[assignment]
    for event in events:
        assert list(used._received(event)) == [WorkersChanged(label="1 worker")]
    used.stop()
    assert graces == [grace_s]


@pytest.mark.usefixtures("stand_in")
def test_a_refusal_is_an_error_with_a_hint() -> None:
    used = engine("nowhere")
    with pytest.raises(PrunectlError, match="no Ray at nowhere") as raised:
        for _ in range(100):
            list(used.wait(10.0))
    assert raised.value.hint == "start one"
    used.stop()


def test_without_the_package_the_line_to_install_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray, "find_spec", lambda name: None)
    with pytest.raises(PrunectlError, match="not installed") as raised:
        engine()
    assert raised.value.hint == "pip install 'prunectl[ray]'"


@pytest.mark.parametrize(
    ("address", "device", "expected"),
    [
        ("ray://head:10001", "auto", "of a Ray client"),
        ("head:6379", "cuda:0", "one machine"),
        ("h:1", "tpu", "no device"),
    ],
)
def test_what_ray_cannot_do_is_refused(address: str, device: str, expected: str) -> None:
    with pytest.raises(PrunectlError, match=expected):
        Ray(address=address).engine_for(Asked(device=device), 1, ())


def test_parameters_are_written_in_a_table_and_the_environment_gives_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ray = executor_of('{ name = "ray", workers = 8, cpus = 2 }')
    assert ray == Ray(workers=8, cpus=2)
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    used = settled(Machine(executor=ray, threads=4, device="cuda", jobs=3)).engine(["json"])
    assert isinstance(used, RayEngine)
    asked = used.joining
    assert (asked.address, asked.workers, asked.cpus, asked.threads) == ("head:6379", 8, 2, 4)
    assert (asked.device, asked.jobs, asked.imports) == ("cuda", 3, ("json",))  # no GPU is looked for here
    monkeypatch.delenv("RAY_ADDRESS")
    assert Ray().engine(2, ()).joining.address is None
    assert Ray(address="local").engine(2, ()).joining.cpus == 1
