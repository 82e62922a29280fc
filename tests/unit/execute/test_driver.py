"""The driver, with an engine that plays a script: order, failures, damage, company, interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prunectl.execute.driver import MOST_STOPS, FatalError, InterruptedRunError, drive
from prunectl.execute.outcome import Event, Outcome, Progress, Request, Status
from prunectl.plan.build import build
from prunectl.plan.explain import Reason, Todo, explain
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Key, parents
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

    tally = drive(plan, todo, engine, request(plan), listen, failed=lambda outcome: heard.append(("kept", outcome.key)))
    at = heard.index(("kept", bad))
    assert heard[at + 1] == ("failed", bad)
    assert {place for place, (status, _) in enumerate(heard) if status == "skipped"} == set(
        range(at + 2, at + 2 + len(tally.skipped))
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
    kept: list[Outcome] = []
    tally = drive(plan, todo, engine, request(plan), failed=kept.append)
    assert engine.begun.count(stopped) == MOST_STOPS + 1
    assert tally.failed == {stopped: f"its process was asked to stop (SIGTERM) {MOST_STOPS + 1} times"}
    assert [outcome.key for outcome in kept] == [stopped]
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

    heard: list[Outcome] = []
    recorded: list[Outcome] = []
    engine = Scripted(plan, dying)
    tally = drive(
        plan, todo, engine, request(plan),
        lambda event: heard.append(event) if isinstance(event, Outcome) else None, recorded.append,
    )  # fmt: skip
    assert tally.failed == {twice: "tried 2 times: killed"} and once in tally.done
    assert [event.reason for event in heard if event.status is Status.LOST] == ["killed; it is tried once more"] * 2
    assert [outcome.key for outcome in recorded] == [twice]
    assert engine.begun.count(once) == engine.begun.count(twice) == 2
