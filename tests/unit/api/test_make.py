"""Doing what is missing: the check comes first, once, and only if there is something to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

from cli import write_study
from in_process import ENGINES, Engine, InProcess
from prunectl.api.check import check
from prunectl.api.machine import Machine
from prunectl.api.make import make, todo_of
from prunectl.api.results import results_of
from prunectl.api.session import Session, open_study
from prunectl.base.errors import MethodError, Problem, StudyError
from prunectl.base.until import Until
from prunectl.execute import child
from prunectl.execute.driver import OutOfTimeError
from prunectl.execute.outcome import Checking, Event, Outcome, Progress, Status, WorkersChanged
from prunectl.plan.preflight import PREFLIGHT
from prunectl.plan.steps import Train
from prunectl.store.hardware import HardwareClass
from prunectl.work.perform import perform
from small import HERE, SMALL

HEAD = '[prunable]\nexclude = ["hed"]\n'


def test_the_check_is_the_first_request_and_the_engine_is_stopped(tmp_path: Path) -> None:
    session = open_study(write_study(tmp_path, SMALL), store=tmp_path / "store", only="sparsity=0")
    heard: list[Event] = []
    tally = make(session, "train", HERE, show=lambda plan, todo: nullcontext(heard.append))
    engine = ENGINES[-1]
    assert [request.key for request in engine.started].index(PREFLIGHT) == 0
    assert len(engine.started) == 1 + len(tally.done)
    assert {event.key for event in heard if isinstance(event, Outcome)} == tally.done
    (workers,) = [event for event in heard if isinstance(event, WorkersChanged)]
    assert workers.label.endswith("on cpu")
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
    assert make(own, "retrain", HERE).failed == {key: "no answer"}
    tally = make(own, "retrain", HERE, retry_failed=True)
    assert (tally.done, tally.failed) == ({key}, {})
    assert own.store.failure(key) is None


def test_a_failure_is_reported_and_the_rest_is_done(tmp_path: Path) -> None:
    arm = '[[prune]]\ncriterion = { name = "snip", samples_per_class = 500 }\n'
    session = open_study(write_study(tmp_path, SMALL + arm), store=tmp_path / "store")
    heard: list[Event] = []
    tally = make(session, "retrain", Machine(executor=InProcess()), show=lambda plan, todo: nullcontext(heard.append))
    assert len(tally.failed) == 1 and "images a class" in next(iter(tally.failed.values()))
    assert tally.skipped
    assert {event.status for event in heard if isinstance(event, Outcome)} == {
        Status.DONE,
        Status.FAILED,
        Status.SKIPPED,
    }


class Dying(Engine):
    """An engine in which the process of the first training is killed."""

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress | Checking]:
        for key, request in list(self.running.items()):
            if isinstance(request.step, Train):
                del self.running[key]
                yield Outcome(key=key, status=Status.FAILED, reason=KILLED)
        yield from super().wait(timeout_s)


class Deadly(InProcess):
    def engine(self, jobs: int, imports: Sequence[str]) -> Any:
        return Dying()


KILLED = "its process was killed by signal 9"


class Unchecked(Engine):
    """Dies of every check, after the first report of it."""

    problems: tuple[Problem, ...] = ()

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress | Checking]:
        if self.running.pop(PREFLIGHT, None) is None:
            yield from super().wait(timeout_s)
        else:
            here = HardwareClass(device="cpu/other", threads=1)
            yield Checking(key=PREFLIGHT, subject="criterion x", problems=self.problems, hardware_class=here)
            yield Outcome(key=PREFLIGHT, status=Status.LOST, reason=KILLED)


class Uncheckable(InProcess):
    problems: ClassVar[tuple[Problem, ...]] = ()

    def engine(self, jobs: int, imports: Sequence[str]) -> Any:
        ENGINES.append(engine := Unchecked())
        engine.problems = self.problems
        return engine


def test_a_run_goes_on_without_a_check_that_no_worker_survives(own: Session) -> None:
    measured = own.plan.trials[-1].measure
    own.store.delete(measured)
    warned: list[str] = []
    tally = make(own, "retrain", Machine(executor=Uncheckable()), warn=warned.append)
    assert tally.done == {measured}
    assert [request.key for request in ENGINES[-1].started] == [PREFLIGHT, PREFLIGHT, measured]
    assert len(warned) == 2, "the second is about the hardware, which is known"
    assert warned[0].startswith(
        f"the check before the first step could not be finished: {KILLED}, while criterion x was checked. The run goes"
    )
    own.store.delete(measured)
    assert check(own, Machine(executor=Uncheckable())).unfinished in warned[0]


def test_problems_that_were_found_before_a_check_died_stop_the_run(own: Session) -> None:
    own.store.delete(own.plan.trials[-1].measure)
    executor = Uncheckable()
    Uncheckable.problems = (Problem(path=("train", "lr"), message="is odd"),)
    with pytest.raises(StudyError, match="1 problem") as raised:
        make(own, "retrain", Machine(executor=executor))
    Uncheckable.problems = ()
    assert f"{KILLED}, while criterion x was checked; there may be more problems" in str(raised.value)


def test_a_step_whose_process_died_leaves_a_reason_and_is_tried_again(own: Session) -> None:
    trained = [trial for trial in own.plan.trials if trial.sparsity > 0]
    for trial in trained:
        own.store.delete(trial.state)
        own.store.delete(trial.measure)
    stored: list[bool] = []

    def listen(event: Event) -> None:
        if isinstance(event, Outcome) and event.status is Status.FAILED:
            stored.append(own.store.failure(event.key) is not None)

    tally = make(own, "retrain", Machine(executor=Deadly()), show=lambda plan, todo: nullcontext(listen))
    assert stored == [True] * len(trained)
    assert tally.failed == dict.fromkeys([trial.state for trial in trained], KILLED)
    assert set(tally.skipped) == {trial.measure for trial in trained}
    rows = results_of(own).trials.filter(pl.col("sparsity") > 0)
    assert set(rows["status"]) == {"failed"} and set(rows["reason"]) == {KILLED}
    again = make(own, "retrain", HERE)
    assert again.done == {key for trial in trained for key in (trial.state, trial.measure)}
    assert set(results_of(own).trials["status"]) == {"done"}
    assert all(own.store.failure(trial.state) is None for trial in trained)


def test_the_reason_that_a_step_has_recorded_is_kept(own: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    key = own.plan.trials[-1].measure
    own.store.delete(key)

    def fail(*arguments: object) -> None:
        raise MethodError("no answer")

    monkeypatch.setattr(child, "perform", fail)
    assert make(own, "retrain", HERE).failed == {key: "no answer"}
    failure = own.store.failure(key)
    assert failure is not None and failure["kind"] == "method"


def test_what_was_skipped_before_is_in_the_tally(own: Session) -> None:
    trial = next(trial for trial in own.plan.trials if trial.sparsity > 0)
    for key in (trial.state, trial.measure):
        own.store.delete(key)
    own.store.record_failure(trial.state, "method", "the loss is not finite", "")
    tally = make(own, "retrain", HERE)
    assert tally.failed == {trial.state: "the loss is not finite"}
    assert tally.skipped == {trial.measure: "the loss is not finite"}


def test_an_input_that_is_deleted_during_a_step_is_made_again(own: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by `cache gc`: the run goes on, and ends with everything done."""
    trial = next(trial for trial in own.plan.trials if trial.sparsity > 0)
    own.store.delete(trial.measure)
    deleted: list[str] = []

    def deleting(step: Any, inputs: Any, out: Path, context: Any) -> None:
        if not deleted:
            deleted.append(trial.state)
            own.store.delete(trial.state)
        perform(step, inputs, out, context)

    monkeypatch.setattr(child, "perform", deleting)
    heard: list[Event] = []
    tally = make(own, "retrain", HERE, show=lambda plan, todo: nullcontext(heard.append))
    assert (tally.done, tally.failed, tally.skipped) == ({trial.state, trial.measure}, {}, {})
    damaged = [event for event in heard if isinstance(event, Outcome) and event.status is Status.DAMAGED]
    assert [(event.damaged, event.reason) for event in damaged] == [(trial.state, "it is gone")]
    assert list(own.store.root.glob("failures/*/*")) == []


def test_a_run_whose_time_is_up_leaves_the_rest(tmp_path: Path) -> None:
    session = open_study(write_study(tmp_path, SMALL), store=tmp_path / "store")
    over = Machine(executor=InProcess(), until=Until(at=0.0, begin=0.0))
    with pytest.raises(OutOfTimeError, match=f"with {len(session.plan.steps)} steps left"):
        make(session, "retrain", over)
    assert ENGINES[-1].stopped and list(session.store.keys()) == []


def test_a_run_whose_last_step_ends_while_it_stops_is_done(own: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    key = own.plan.trials[-1].measure
    own.store.delete(key)

    def late(engine: Engine) -> None:
        if not own.store.has(key):
            make(own, "retrain", HERE)

    monkeypatch.setattr(Engine, "stop", late)
    tally = make(own, "retrain", Machine(executor=InProcess(), until=Until(at=0.0, begin=0.0)))
    assert tally.done == {key} and not tally.left
