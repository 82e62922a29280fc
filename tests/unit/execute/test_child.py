"""One request: whatever happens is an outcome."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from prunectl.api.session import Session
from prunectl.base import ctrl_c
from prunectl.base.errors import DataError, MethodError
from prunectl.execute import child, hardware
from prunectl.execute.outcome import Outcome, Request, Status
from prunectl.plan.preflight import PREFLIGHT, preflight
from prunectl.plan.steps import Key, Measure, Score
from prunectl.store.local import LocalStore
from prunectl.work.context import Stopped
from prunectl.work.perform import KINDS
from small import damage


def request(session: Session, key: Key, **changed: Any) -> Request:
    given = {
        "key": key, "step": session.plan.steps.get(key), "store": session.store.root, "data": Path(), "device": "cpu",
        "threads": 1,
    }  # fmt: skip
    return Request(**{**given, **changed})


def do(session: Session, key: Key, **changed: Any) -> Outcome:
    return child.do(request(session, key, **changed), lambda: False, lambda done, total: None)


@pytest.fixture
def key(own: Session) -> Key:
    """A measurement that is missing."""
    key = next(key for key, step in own.plan.steps.items() if isinstance(step, Measure) and step.mask is not None)
    own.store.delete(key)
    return key


def performing(monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], None]) -> None:
    """Let a step do something else."""
    monkeypatch.setattr(child, "perform", lambda step, inputs, out, context: act(out))


def test_a_step_is_done_once_and_described(own: Session, key: Key) -> None:
    own.store.record_failure(key, "crash", "x", "")
    outcome = do(own, key)
    assert (outcome.status, outcome.key) == (Status.DONE, key)
    made = own.store.manifest(key).made
    assert made.wall_s == outcome.wall_s > 0
    assert made.device == "cpu" and made.versions["torch"] and made.peak_bytes > 0
    assert own.store.failure(key) is None, "what failed before is forgotten"
    assert do(own, key).status is Status.REUSED


def test_an_artefact_has_the_threads_that_its_step_was_given_and_not_those_that_it_left(
    own: Session, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    performing(monkeypatch, lambda out: torch.set_num_threads(before + 3))
    assert do(own, key, threads=1).status is Status.DONE
    torch.set_num_threads(before)
    assert own.store.manifest(key).made.threads == 1


def test_a_step_that_another_process_is_making_is_left_to_it(own: Session, key: Key) -> None:
    with own.store.lock(key):
        assert do(own, key).status is Status.BUSY
    assert not own.store.has(key)


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_a_parent_that_is_not_sound_is_named(own: Session, key: Key, how: str) -> None:
    step = own.plan.steps[key]
    assert isinstance(step, Measure)
    if how == "damaged":
        damage(own, "state.safetensors", step.state)
    else:
        own.store.delete(step.state)
    outcome = do(own, key)
    assert (outcome.status, outcome.damaged) == (Status.DAMAGED, step.state)


def test_a_method_without_an_answer_is_a_failure_that_is_kept(
    own: Session, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(out: Path) -> None:
        raise MethodError("nothing to prune")

    performing(monkeypatch, no_answer)
    assert do(own, key) == Outcome(key=key, status=Status.FAILED, reason="nothing to prune")
    assert own.store.failure(key) == {"kind": "method", "reason": "nothing to prune", "detail": ""}
    assert not own.store.has(key)


def test_a_crash_is_a_failure_with_its_line_and_traceback(
    own: Session, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(out: Path) -> None:
        raise ZeroDivisionError("by\nzero")

    performing(monkeypatch, crash)
    outcome = do(own, key)
    line = crash.__code__.co_firstlineno + 1
    assert outcome.status is Status.FAILED
    assert outcome.reason.startswith("ZeroDivisionError: by zero (")
    assert outcome.reason.endswith(f"test_child.py:{line}, in crash)")
    failure = own.store.failure(key)
    assert failure is not None and failure["kind"] == "crash" and "test_child.py" in failure["detail"]
    assert failure["reason"] == outcome.reason


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, BaseException])
def test_whatever_code_raises_in_a_worker_is_a_crash_with_its_type_and_line(
    own: Session, key: Key, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    def leave(out: Path) -> None:
        raise kind("bye")

    monkeypatch.setattr(ctrl_c, "_left_to_driver", {os.getpid()})
    performing(monkeypatch, leave)
    outcome = do(own, key)
    line = leave.__code__.co_firstlineno + 1
    assert outcome.status is Status.FAILED
    assert outcome.reason.startswith(f"{kind.__name__}: bye (")
    assert outcome.reason.endswith(f"test_child.py:{line}, in leave)")
    failure = own.store.failure(key)
    assert failure is not None and failure["kind"] == "crash"


def test_what_the_check_itself_raises_is_its_reason_and_its_traceback_is_printed(
    own: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def leave(*given: object) -> None:
        raise GeneratorExit("bye")

    monkeypatch.setattr("prunectl.work.preflight.problems_of", leave)
    outcome = do(own, PREFLIGHT, step=preflight(own.study, own.plan, own.content))
    assert outcome.status is Status.FAILED and outcome.reason.startswith("GeneratorExit: bye (")
    assert "in leave" in capsys.readouterr().err


def test_ctrl_c_is_not_the_outcome_of_a_step(own: Session, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(out: Path) -> None:
        raise KeyboardInterrupt

    performing(monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        do(own, key)
    assert own.store.failure(key) is None


def test_a_step_is_not_made_by_other_code_than_its_key_says(own: Session, key: Key) -> None:
    """A process that imports a plug-in after it was edited makes another key of the step."""
    step = own.plan.steps[key]
    assert isinstance(step, Measure)
    outcome = do(own, key, step=replace(step, exclude=("edited",)))
    assert (outcome.status, outcome.exit_code) == (Status.FATAL, 2)
    assert outcome.reason == "the code of a plug-in that the study uses was edited during the run"
    assert outcome.hint == "run the same command again; in a notebook, restart the kernel first"
    assert not own.store.has(key)


def test_a_full_disk_ends_everything(own: Session, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(out: Path) -> None:
        raise OSError(28, "No space left on device")

    performing(monkeypatch, full)
    outcome = do(own, key)
    assert (outcome.status, outcome.exit_code) == (Status.FATAL, 4)
    assert "is full" in outcome.reason and "free some space" in (outcome.hint or "")
    assert own.store.failure(key) is None, "the step is not to blame"


def test_what_a_user_can_fix_ends_everything(own: Session, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(out: Path) -> None:
        raise DataError("no digits", hint="download them")

    performing(monkeypatch, missing)
    outcome = do(own, key)
    assert (outcome.status, outcome.reason, outcome.hint) == (Status.FATAL, "no digits", "download them")
    assert outcome.exit_code == 2


def test_a_step_that_was_asked_to_stop_is_no_failure(own: Session, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(out: Path) -> None:
        raise Stopped

    performing(monkeypatch, stop)
    assert do(own, key).status is Status.STOPPED
    assert own.store.failure(key) is None


def test_a_preflight_leaves_nothing_in_the_store(own: Session) -> None:
    before = set(own.store.keys())
    sound = preflight(own.study, own.plan, own.content)
    assert do(own, PREFLIGHT, step=sound) == Outcome(
        key=PREFLIGHT, status=Status.DONE, hardware_class=hardware.hardware_class(torch.device("cpu"), 1)
    )
    assert set(own.store.keys()) == before


def test_every_kind_of_step_is_imported_with_it() -> None:
    """A forked worker finds them loaded."""
    assert {f"prunectl.work.{name}" for name in ("train", "score", "prune", "measure")} <= set(sys.modules)
    assert Score.kind in KINDS


@pytest.mark.parametrize("error", [FileNotFoundError("x"), RuntimeError("x"), KeyError("x")])
def test_an_input_that_is_deleted_on_the_way_is_named(
    own: Session, key: Key, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the step raises about it."""
    step = own.plan.steps[key]
    assert isinstance(step, Measure)

    def vanish(out: Path) -> None:
        own.store.delete(step.state)
        raise error

    performing(monkeypatch, vanish)
    expected = Outcome(key=key, status=Status.DAMAGED, reason="it is gone", damaged=step.state)
    assert do(own, key) == expected
    assert own.store.failure(key) is None


def test_an_earlier_state_that_is_not_there_is_done_without(own: Session, key: Key) -> None:
    state = own.plan.trials[-1].state
    own.store.delete(state)
    assert do(own, state, resume=Key("0" * 64)).status is Status.DONE


def test_an_earlier_state_that_is_deleted_just_before_it_is_read_is_done_without(
    own: Session, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, gone = own.plan.trials[-1].state, Key("0" * 64)
    own.store.delete(state)
    has = LocalStore.has
    monkeypatch.setattr(LocalStore, "has", lambda store, key: key == gone or has(store, key))
    assert do(own, state, resume=gone).status is Status.DONE
