"""The driver, with an engine that plays a script: order, failures, damage, company, interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prunectl.base.until import Until
from prunectl.execute.driver import MOST_STOPS, FatalError, InterruptedRunError, OutOfTimeError, Tally, drive
from prunectl.execute.engine import NotInTimeError
from prunectl.execute.outcome import Event, Going, Outcome, Progress, Request, Status
from prunectl.plan.build import build
from prunectl.plan.explain import Reason, Todo, explain
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Key, Measure, Train, parents
from prunectl.study.load import validate

STUDY: dict[str, Any] = {
    "name": "t",
    "data": {"name": "digits"},
    "model": {"name": "tiny-cnn"},
    "train": {"epochs": 2, "lr": 0.1},
    "sweep": {"sparsities": [0.5, 0.9], "seeds": [1, 2]},
    "prune": [{"criterion": ["snip", "synflow"]}, {"criterion": "magnitude", "at": {"epoch": 1}}],
}


class Scripted:
    """Does every step at once, as the script says; by default it succeeds."""

    def __init__(self, plan: Plan, script: Callable[[Key], Outcome | None], jobs: int = 2) -> None:
        self.plan, self.script, self.jobs = plan, script, jobs
        self.running: dict[Key, Request] = {}
        self.begun: list[Key] = []
        self.there: set[Key] = set()
        self.stopped = False

    def start(self, request: Request) -> None:
        assert len(self.running) < self.jobs
        self.running[request.key] = request
        self.begun.append(request.key)

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress]:
        for key in list(self.running):
            del self.running[key]
            outcome = self.script(key) or Outcome(key=key, status=Status.DONE)
            if outcome.status is Status.DONE:
                assert set(parents(self.plan.steps[key]).values()) <= self.there
                self.there.add(key)
            yield Progress(key=key, done=1, total=2)
            yield outcome

    def stop(self) -> None:
        self.stopped = True


def planned() -> tuple[Plan, Todo]:
    study, slips = validate(STUDY)
    assert study is not None, slips
    plan = build(study, study.data.dataset.declared("f" * 64))
    return plan, explain(plan, plan.targets("retrain"), has=lambda key: False, failure=lambda key: None)


def request(plan: Plan) -> Callable[[Key], Request]:
    return lambda key: Request(
        key=key, step=plan.steps[key], resume=None, store=Path(), data=Path(), device="cpu", threads=1
    )


def of_kind(plan: Plan, kind: str) -> Key:
    return next(key for key, step in plan.steps.items() if step.kind == kind)


def failures(heard: list[Event]) -> list[Key]:
    return [event.key for event in heard if isinstance(event, Outcome) and event.status is Status.FAILED]


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_what_is_being_done_is_reported_at_each_look(jobs: int) -> None:
    plan, todo = planned()
    heard: list[Event] = []
    drive(plan, todo, Scripted(plan, lambda key: None, jobs), request(plan), heard.append)
    going = [event.keys for event in heard if isinstance(event, Going)]
    assert {key for keys in going for key in keys} == set(todo.todo)
    assert all(1 <= len(keys) <= jobs for keys in going)


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_everything_is_done_once_parents_first(jobs: int) -> None:
    plan, todo = planned()
    engine = Scripted(plan, lambda key: None, jobs)
    heard: list[Event] = []
    tally = drive(plan, todo, engine, request(plan), heard.append)
    assert sorted(engine.begun) == sorted(todo.todo)
    assert tally.done == set(todo.todo)
    assert engine.stopped
    assert sum(isinstance(recorded, Outcome) for recorded in heard) == len(todo.todo)
    for later, earlier in plan.follows.items():
        assert engine.begun.index(earlier) < engine.begun.index(later)


def test_a_network_is_measured_as_soon_as_it_is_trained() -> None:
    """So that rows of the table are complete early, and the worker that trained it still has its last test."""
    plan, todo = planned()
    engine = Scripted(plan, lambda key: None, jobs=1)
    drive(plan, todo, engine, request(plan))
    trained = {key: step for key, step in plan.steps.items() if isinstance(step, Train)}
    measures = {(step.state, step.mask): key for key, step in plan.steps.items() if isinstance(step, Measure)}
    assert any((key, step.mask) in measures for key, step in trained.items())
    for key, step in trained.items():
        if (key, step.mask) in measures:
            assert engine.begun[engine.begun.index(key) + 1] == measures[key, step.mask]


def test_a_failure_takes_along_only_what_rests_on_it() -> None:
    plan, todo = planned()
    bad = of_kind(plan, "score")
    engine = Scripted(
        plan, lambda key: Outcome(key=key, status=Status.FAILED, reason="no answer") if key == bad else None
    )
    tally = drive(plan, todo, engine, request(plan))
    assert set(tally.failed) == {bad}
    assert set(tally.skipped) == {key for key in todo.todo if bad in plan.closure([key])} - {bad}
    assert tally.done | set(tally.skipped) | {bad} == set(todo.todo)


def test_an_earlier_state_that_fails_is_a_help_lost_not_a_need() -> None:
    plan, todo = planned()
    later, earlier = next(iter(plan.follows.items()))
    engine = Scripted(plan, lambda key: Outcome(key=key, status=Status.FAILED, reason="x") if key == earlier else None)
    tally = drive(plan, todo, engine, request(plan))
    assert later in tally.done


def test_a_damaged_parent_is_made_again_and_the_child_after_it() -> None:
    plan, _ = planned()
    child = of_kind(plan, "measure")
    state = next(iter(parents(plan.steps[child]).values()))
    met: list[Key] = []

    def script(key: Key) -> Outcome | None:
        if key == child and not met:
            met.append(key)
            engine.there.discard(state)
            return Outcome(key=key, status=Status.DAMAGED, damaged=state)
        return None

    engine = Scripted(plan, script)
    engine.there = set(plan.steps) - {child}
    todo = Todo(todo={child: Reason.MISSING}, reused=frozenset(engine.there), failed=frozenset(), skipped={})
    tally = drive(plan, todo, engine, request(plan))
    assert engine.begun == [child, state, child]
    assert tally.done == {child, state}


def test_what_another_process_makes_is_waited_for() -> None:
    plan, todo = planned()
    busy = of_kind(plan, "init")
    asked: list[Key] = []

    def script(key: Key) -> Outcome | None:
        if key == busy:
            asked.append(key)
            return Outcome(key=key, status=Status.BUSY if len(asked) == 1 else Status.REUSED)
        return None

    engine = Scripted(plan, script)
    engine.there = {busy}
    tally = drive(plan, todo, engine, request(plan))
    assert len(asked) == 2
    assert busy in tally.reused
    assert tally.done == set(todo.todo) - {busy}


def test_what_nothing_can_mend_ends_the_run() -> None:
    plan, todo = planned()
    full = Outcome(key=of_kind(plan, "init"), status=Status.FATAL, reason="full", hint="make room", exit_code=4)
    engine = Scripted(plan, lambda key: full)
    with pytest.raises(FatalError, match="full") as raised:
        drive(plan, todo, engine, request(plan))
    assert (raised.value.exit_code, raised.value.hint) == (4, "make room")
    assert engine.stopped


def test_ctrl_c_stops_the_engine_and_says_how_to_go_on() -> None:
    plan, todo = planned()

    def script(key: Key) -> Outcome | None:
        raise KeyboardInterrupt

    engine = Scripted(plan, script)
    with pytest.raises(InterruptedRunError) as raised:
        drive(plan, todo, engine, request(plan))
    assert raised.value.exit_code == 130
    assert "same command" in (raised.value.hint or "")
    assert engine.stopped


def test_a_failure_is_reported_before_what_is_skipped_because_of_it() -> None:
    plan, todo = planned()
    bad = of_kind(plan, "score")
    engine = Scripted(
        plan, lambda key: Outcome(key=key, status=Status.FAILED, reason="no answer") if key == bad else None
    )
    heard: list[tuple[str, Key]] = []

    def listen(event: Event) -> None:
        if isinstance(event, Outcome):
            heard.append((event.status.value, event.key))

    tally = drive(plan, todo, engine, request(plan), listen)
    at = heard.index(("failed", bad))
    assert {place for place, (status, _) in enumerate(heard) if status == "skipped"} == set(
        range(at + 1, at + 1 + len(tally.skipped))
    )


def test_a_step_whose_worker_was_asked_to_stop_is_continued() -> None:
    plan, todo = planned()
    stopped = of_kind(plan, "train")
    script = iter([Outcome(key=stopped, status=Status.STOPPED)] * MOST_STOPS)
    engine = Scripted(plan, lambda key: next(script, None) if key == stopped else None)
    heard: list[Event] = []
    tally = drive(plan, todo, engine, request(plan), heard.append)
    assert tally.done == set(todo.todo)
    assert engine.begun.count(stopped) == MOST_STOPS + 1
    reasons = [event.reason for event in heard if isinstance(event, Outcome) and event.status is Status.STOPPED]
    assert reasons == ["its process was asked to stop (SIGTERM); it is continued"] * MOST_STOPS


def test_but_not_for_ever() -> None:
    plan, todo = planned()
    stopped = of_kind(plan, "train")
    engine = Scripted(plan, lambda key: Outcome(key=key, status=Status.STOPPED) if key == stopped else None)
    heard: list[Event] = []
    tally = drive(plan, todo, engine, request(plan), heard.append)
    assert engine.begun.count(stopped) == MOST_STOPS + 1
    assert tally.failed == {stopped: f"its process was asked to stop (SIGTERM) {MOST_STOPS + 1} times"}
    assert failures(heard) == [stopped]
    assert tally.skipped


def test_a_step_whose_worker_dies_is_tried_once_more_and_then_has_failed() -> None:
    plan, todo = planned()
    once, twice = [key for key, step in plan.steps.items() if step.kind == "score"][:2]
    deaths = {once: 1, twice: 2}

    def dying(key: Key) -> Outcome | None:
        if deaths.get(key, 0) == 0:
            return None
        deaths[key] -= 1
        return Outcome(key=key, status=Status.LOST, reason="killed")

    heard: list[Event] = []
    engine = Scripted(plan, dying)
    tally = drive(plan, todo, engine, request(plan), heard.append)
    assert tally.failed == {twice: "tried 2 times: killed"} and once in tally.done
    lost = [event.reason for event in heard if isinstance(event, Outcome) and event.status is Status.LOST]
    assert lost == ["killed; it is tried once more"] * 2
    assert failures(heard) == [twice]
    assert engine.begun.count(once) == engine.begun.count(twice) == 2


class Ticking:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_a_run_stops_before_its_moment_and_starts_no_step_after_it_began_to_stop() -> None:
    plan, todo = planned()
    engine = Scripted(plan, lambda key: None, jobs=1)
    moment = Until(at=9.0, begin=6.0)
    with pytest.raises(OutOfTimeError, match=rf"{len(todo.todo) - 5} steps left") as raised:
        drive(plan, todo, engine, request(plan), until=moment, clock=Ticking())
    assert len(engine.begun) == 5 and engine.stopped
    assert raised.value.exit_code == 130 and "same command" in (raised.value.hint or "")
    assert moment.label in str(raised.value)


def test_a_step_that_cannot_be_started_before_the_run_begins_to_stop_is_left() -> None:
    plan, todo = planned()

    class Late(Scripted):
        def start(self, request: Request) -> None:
            if self.begun:
                raise NotInTimeError
            super().start(request)

    engine = Late(plan, lambda key: None)
    with pytest.raises(OutOfTimeError, match=rf"with {len(todo.todo)} steps left"):
        drive(plan, todo, engine, request(plan), until=Until(at=1e9, begin=1e9), clock=Ticking())
    assert engine.stopped


def test_a_run_that_is_done_before_its_moment_is_done() -> None:
    plan, todo = planned()
    moment = Until(at=1e9, begin=1e9)
    tally = drive(plan, todo, Scripted(plan, lambda key: None), request(plan), until=moment, clock=Ticking())
    assert tally.done == set(todo.todo) and not tally.left


class Shared:
    """Another run that shares the store, and is making some steps; it finishes one when it is asked often enough."""

    def __init__(self, plan: Plan, making: set[Key], *, alive: bool = True, patience: int = 3) -> None:
        self.plan, self.making, self.alive, self.patience = plan, making, alive, patience
        self.asked: dict[Key, int] = {}

    def __call__(self, key: Key) -> Outcome | None:
        if key not in self.making:
            return None
        self.asked[key] = self.asked.get(key, 0) + 1
        if self.asked[key] > self.patience:
            return Outcome(key=key, status=Status.REUSED)
        return Outcome(key=key, status=Status.BUSY, alive=self.alive)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunectl.execute.driver.BUSY_S", 0.0)


def last(plan: Plan, todo: Todo) -> set[Key]:
    """The steps that nothing rests on."""
    needed = {parent for key in todo.todo for parent in parents(plan.steps[key]).values()}
    return set(todo.todo) - needed - set(plan.follows.values())


def test_a_worker_ends_when_others_make_all_that_is_left() -> None:
    plan, todo = planned()
    ends = last(plan, todo)
    shared = Shared(plan, ends, patience=10**6)
    tally = drive(plan, todo, Scripted(plan, shared), request(plan), leaves=True)
    assert tally.left == ends and tally.done == set(todo.todo) - ends


def test_a_run_of_its_own_waits_for_them() -> None:
    plan, todo = planned()
    shared = Shared(plan, last(plan, todo))
    tally = drive(plan, todo, Scripted(plan, shared), request(plan))
    assert not tally.left and tally.done | tally.reused == set(todo.todo)


def test_a_worker_waits_for_steps_of_others_that_may_come_back_to_it() -> None:
    """Those who make them were not seen to live: their claims may expire."""
    plan, todo = planned()
    shared = Shared(plan, last(plan, todo), alive=False)
    assert not drive(plan, todo, Scripted(plan, shared), request(plan), leaves=True).left


def test_a_worker_waits_for_a_step_that_will_leave_more_to_do_than_its_maker_can() -> None:
    """And ends where each step that is made leads to one more only."""
    plan, todo = planned()
    one = {of_kind(plan, "init")}
    engine = Scripted(plan, Shared(plan, one), jobs=1)
    engine.there = set(one)
    tally = drive(plan, todo, engine, request(plan), leaves=True)
    assert not tally.left and tally.done == set(todo.todo) - one
    chain = next(trial for trial in plan.trials if trial.sparsity > 0)
    train = next(key for key in parents(plan.steps[chain.measure]).values() if plan.steps[key].kind == "train")
    rest = Todo(
        todo={train: Reason.MISSING, chain.measure: Reason.MISSING},
        reused=frozenset(set(plan.steps) - {train, chain.measure}),
        failed=frozenset(),
        skipped={},
    )
    engine = Scripted(plan, Shared(plan, {train}, patience=10**6))
    assert drive(plan, rest, engine, request(plan), leaves=True).left == {train, chain.measure}


def test_what_was_kept_is_what_there_is_to_keep() -> None:
    until = Until(at=9.0, begin=9.0)
    nothing = OutOfTimeError(until, 3, Tally(reused={Key("a")}))
    assert "3 steps left; no step was finished, and snapshots of trainings under way are kept" in nothing.message
    assert OutOfTimeError(until, 3, Tally(), begun=False).message.endswith("with 3 steps left; no step was begun")
    assert "finished steps are kept" in OutOfTimeError(until, 3, Tally(done={Key("a")})).message
