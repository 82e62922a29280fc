"""Parts of a worker; the whole is tested with its engine."""

from __future__ import annotations

import io
import pickle
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from prunectl.execute.worker import Stop, _Reading

SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Theirs:
    """As if of a third party."""


def test_code_of_third_parties_is_noticed_in_a_request() -> None:
    for request, foreign in ((Path("store"), False), ({"criterion": Theirs()}, True)):
        reading = _Reading(io.BytesIO(pickle.dumps(request)))
        reading.load()
        assert reading.foreign is foreign


def test_a_step_decides_when_it_stops_and_an_idle_worker_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr("os._exit", left.append)
    stop = Stop()
    with stop.listening():
        signal.raise_signal(signal.SIGTERM)
        assert stop() and not left
    signal.raise_signal(signal.SIGTERM)
    assert left == [0]


def test_ctrl_c_is_left_to_the_driver_whatever_a_step_has_made_of_it() -> None:
    def theirs(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"a step answered signal {number}")

    stop = Stop()
    for number in SIGNALS:
        signal.signal(number, theirs)
    stop.install()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.raise_signal(number)
    assert not stop()
