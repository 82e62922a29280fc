"""Doing what is missing: the check comes first, once, and only if there is something to do."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from cli import write_study
from in_process import ENGINES, InProcess
from prunectl.api.machine import Machine
from prunectl.api.make import make, todo_of
from prunectl.api.session import Session, open_study
from prunectl.base.errors import StudyError
from prunectl.execute.outcome import Outcome, Progress, Status
from prunectl.plan.preflight import PREFLIGHT
from small import HERE, SMALL

HEAD = '[prunable]\nexclude = ["hed"]\n'


def test_the_check_is_the_first_request_and_the_engine_is_stopped(tmp_path: Path) -> None:
    session = open_study(write_study(tmp_path, SMALL), store=tmp_path / "store", only="sparsity=0")
    heard: list[Outcome | Progress] = []
    tally = make(session, "train", HERE, show=lambda todo: nullcontext(heard.append))
    engine = ENGINES[-1]
    assert [request.key for request in engine.started].index(PREFLIGHT) == 0
    assert len(engine.started) == 1 + len(tally.done)
    assert {event.key for event in heard} == tally.done
    assert engine.stopped > 0
    assert all(session.store.has(key) for key in session.plan.targets("train"))


def test_with_nothing_to_do_there_is_no_engine_and_no_check(session: Session) -> None:
    before = len(ENGINES)
    tally = make(session, "retrain", HERE)
    assert len(ENGINES) == before
    assert (tally.done, tally.failed) == (set(), {})
    assert tally.reused == session.plan.targets("retrain")


def test_a_problem_stops_the_run_before_anything_is_made(tmp_path: Path) -> None:
    session = open_study(write_study(tmp_path, SMALL + HEAD), store=tmp_path / "store")
    with pytest.raises(StudyError, match="1 problem"):
        make(session, "retrain", HERE)
    assert list(session.store.keys()) == []
    assert [request.key for request in ENGINES[-1].started] == [PREFLIGHT]
    assert ENGINES[-1].stopped > 0


def test_what_failed_for_good_is_tried_again_only_when_asked(own: Session) -> None:
    key = next(trial.measure for trial in own.plan.trials if trial.sparsity > 0)
    own.store.delete(key)
    own.store.record_failure(key, "method", "no answer", "")
    assert set(todo_of(own, "retrain").failed) == {key}
    assert make(own, "retrain", HERE).failed == {key: "failed before"}
    tally = make(own, "retrain", HERE, retry_failed=True)
    assert (tally.done, tally.failed) == ({key}, {})
    assert own.store.failure(key) is None


def test_a_failure_is_reported_and_the_rest_is_done(tmp_path: Path) -> None:
    arm = '[[prune]]\ncriterion = { name = "snip", samples_per_class = 500 }\n'
    session = open_study(write_study(tmp_path, SMALL + arm), store=tmp_path / "store")
    heard: list[Outcome | Progress] = []
    tally = make(session, "retrain", Machine(executor=InProcess()), show=lambda todo: nullcontext(heard.append))
    assert len(tally.failed) == 1 and "images a class" in next(iter(tally.failed.values()))
    assert tally.skipped
    assert {event.status for event in heard if isinstance(event, Outcome)} == {
        Status.DONE,
        Status.FAILED,
        Status.SKIPPED,
    }
