"""The check by a worker: its problems, and what happens if it dies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from prunectl.base.errors import Problem
from prunectl.base.until import Until
from prunectl.execute.driver import InterruptedRunError
from prunectl.execute.engine import NotInTimeError
from prunectl.execute.outcome import Outcome, Progress, Request, Status
from prunectl.execute.preflight import PreflightError, check
from prunectl.plan.preflight import PREFLIGHT, Preflight
from prunectl.plan.steps import Key

REQUEST = Request(
    key=PREFLIGHT,
    step=Preflight(networks=(), data=(), exclude=(), asked=(), seed=1, train_size=1, leaves_one=()),
    store=Path(),
    data=Path(),
    device="cpu",
    threads=1,
)


class Answering:
    """Answers with the events of each turn."""

    jobs = 1

    def __init__(self, *turns: list[Outcome | Progress]) -> None:
        self.turns = list(turns)
        self.running: dict[Key, Request] = {}

    def start(self, request: Request) -> None:
        self.running[request.key] = request

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress]:
        if not self.turns:
            raise KeyboardInterrupt
        yield from self.turns.pop(0)

    def stop(self) -> None:
        raise AssertionError("the engine is needed afterwards")


def test_it_waits_for_the_answer() -> None:
    done = Outcome(key=PREFLIGHT, status=Status.DONE)
    engine = Answering([], [Progress(key=PREFLIGHT, done=1, total=2)], [done])
    assert check(engine, REQUEST) == done
    assert list(engine.running) == [PREFLIGHT]


def test_problems_are_returned() -> None:
    problem = Problem(path=("model",), message="x")
    failed = Outcome(key=PREFLIGHT, status=Status.FAILED, problems=(problem,))
    assert check(Answering([failed]), REQUEST).problems == (problem,)


def test_a_worker_that_dies_is_an_accident_and_not_a_problem_of_the_study() -> None:
    killed = Outcome(key=PREFLIGHT, status=Status.FAILED, reason="its process was killed by signal 9")
    with pytest.raises(PreflightError, match="killed by signal 9") as raised:
        check(Answering([killed]), REQUEST)
    assert raised.value.exit_code == 1


def test_ctrl_c_says_how_to_continue() -> None:
    with pytest.raises(InterruptedRunError) as raised:
        check(Answering(), REQUEST)
    assert raised.value.exit_code == 130
    assert "same command" in (raised.value.hint or "")


def test_an_answer_is_not_waited_for_when_the_run_begins_to_stop() -> None:
    """Under load, importing torch alone may take longer than the run has."""
    engine = Answering(*[[]] * 9)
    moments = iter((10.0, 19.0, 20.0))
    with pytest.raises(NotInTimeError):
        check(engine, replace(REQUEST, until=Until(at=25.0, begin=20.0)), clock=lambda: next(moments))
    assert len(engine.turns) == 7
