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
from prunectl.execute.outcome import Checking, Outcome, Progress, Request, Status
from prunectl.execute.preflight import PreflightError, check
from prunectl.plan.preflight import PREFLIGHT, Preflight
from prunectl.plan.steps import Key
from prunectl.store.hardware import HardwareClass

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

    def __init__(self, *turns: list[Outcome | Progress | Checking]) -> None:
        self.turns = list(turns)
        self.running: dict[Key, Request] = {}

    def start(self, request: Request) -> None:
        self.running[request.key] = request

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress | Checking]:
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


def test_a_check_that_fails_itself_is_an_accident_and_not_a_problem_of_the_study() -> None:
    failed = Outcome(key=PREFLIGHT, status=Status.FAILED, reason="KeyError: 'x'")
    with pytest.raises(PreflightError, match="KeyError: 'x'") as raised:
        check(Answering([failed]), REQUEST)
    assert raised.value.exit_code == 1


LOST = Outcome(key=PREFLIGHT, status=Status.LOST, reason="its worker was killed by signal 9")
HERE = HardwareClass(device="cpu", threads=1)


def test_a_check_whose_worker_died_is_tried_once_more() -> None:
    done = Outcome(key=PREFLIGHT, status=Status.DONE)
    assert check(Answering([LOST], [done]), REQUEST) == done


def test_a_second_worker_that_dies_leaves_what_the_check_has_found_before() -> None:
    first = Checking(key=PREFLIGHT, subject="model a", problems=(), hardware_class=HERE)
    last = replace(first, subject="criterion b", problems=(Problem(message="x"),))
    outcome = check(Answering([first, LOST], [first], [last, LOST]), REQUEST)
    assert outcome.status is Status.LOST
    assert outcome.reason == "its worker was killed by signal 9, while criterion b was checked"
    assert outcome.problems == last.problems and outcome.hardware_class == HERE
    assert check(Answering([LOST], [LOST]), REQUEST) == LOST


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
