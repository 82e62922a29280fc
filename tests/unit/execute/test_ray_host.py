"""A Ray actor without Ray: it resolves the device, passes a local engine's reports on, and stops."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prunectl.base.errors import PrunectlError
from prunectl.base.version import __version__
from prunectl.catalog.hook import Shown
from prunectl.execute import ray_host
from prunectl.execute.engine import NotInTimeError
from prunectl.execute.outcome import Event, Outcome, Progress, Request, Status
from prunectl.execute.ray_host import Host, Hosting
from prunectl.plan.preflight import PREFLIGHT, Preflight
from prunectl.plan.steps import Key

KEY = Key("k")


class Engine:
    """A local engine as an actor uses it."""

    def __init__(self, jobs: int, imports: object) -> None:
        self.suspects: set[str] = set()
        self.requests: list[Request] = []
        self.events: list[Event] = []
        self.shared: object = None
        self.stopped = False

    def start(self, request: Request) -> None:
        if request.threads == 99:
            raise PrunectlError("no memory")
        if request.threads == 98:
            raise NotInTimeError
        self.requests.append(request)

    def share(self, data: object, root: Path) -> None:
        self.shared = data

    def wait(self, timeout_s: float) -> Iterator[Event]:
        events, self.events = self.events, []
        yield from events

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(ray_host, "LocalEngine", Engine)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("KNOWN", "here")
    monkeypatch.delenv("UNKNOWN", raising=False)
    environment = {"KNOWN": "there", "UNKNOWN": "there"}
    host = Host(Hosting(device="cpu", jobs=3, readers=2, path=("/theirs",), environment=environment))
    assert sys.path[-1] == "/theirs"
    assert (os.environ["KNOWN"], os.environ.pop("UNKNOWN")) == ("here", "there")
    assert host.place().device == "cpu"
    return host


def engine(host: Host) -> Engine:
    assert isinstance(host.engine, Engine)
    return host.engine


def request_(threads: int = 1) -> Request:
    step = Preflight(networks=(), data=(), exclude=(), asked=(), seed=1, train_size=1, leaves_one=())
    return Request(key=PREFLIGHT, step=step, store=Path("s"), data=Path("d"), device="auto", threads=threads)


def test_a_request_is_done_on_the_device_that_was_found_here(host: Host) -> None:
    shown = Shown(epoch=1.5, epochs=3.0, loss=0.4, top1=0.9)
    progress = Progress(key=KEY, done=1, total=2, shown=shown)
    events: list[Event] = [progress, Outcome(key=KEY, status=Status.DONE)]
    engine(host).events = list(events)
    assert list(host.do(KEY, pickle.dumps(request_()), suspect=True)) == [None, *events]
    (request,) = engine(host).requests
    assert (request.device, request.devices, request.workers, request.jobs) == ("cpu", (), 2, 3)
    assert engine(host).suspects == {KEY}


def test_an_actor_that_is_asked_to_stop_lets_its_step_leave_a_snapshot(host: Host) -> None:
    doing = host.do(KEY, pickle.dumps(request_()), suspect=False)
    assert next(doing) is None
    host.stop()
    (outcome,) = [event for event in doing if isinstance(event, Outcome)]
    assert outcome.status is Status.STOPPED and engine(host).stopped


def test_a_step_that_cannot_be_started_in_time_is_stopped(host: Host) -> None:
    (_, outcome) = host.do(KEY, pickle.dumps(request_(threads=98)), suspect=False)
    assert isinstance(outcome, Outcome) and outcome.status is Status.STOPPED


def test_what_cannot_be_read_or_started_is_an_outcome_that_names_the_machine(host: Host) -> None:
    (_, failed) = host.do(KEY, b"cnot_there\nx\n.", suspect=False)
    assert isinstance(failed, Outcome) and failed.status is Status.FAILED
    assert "not_there" in failed.reason and host.place().node in failed.reason
    (_, lost) = host.do(KEY, pickle.dumps(request_(threads=99)), suspect=False)
    assert isinstance(lost, Outcome) and lost.status is Status.LOST and lost.reason.endswith("no memory")


def test_data_sets_are_shared_by_an_actor_that_did_not_do_the_check(host: Host) -> None:
    host.share(pickle.dumps(request_()))
    assert engine(host).shared == ()
    host.share(b"unreadable")


def test_a_place_has_its_version_and_what_is_wrong_with_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    assert host.place().version == __version__ and host.place().problem == ""

    def refuse(asked: str) -> tuple[str, ...]:
        raise PrunectlError("no device 'cuda' on this machine")

    monkeypatch.setattr(ray_host, "resolve_devices", refuse)
    assert "no device" in host.place().problem
