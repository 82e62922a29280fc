"""Whatever the disk of the store does, a step ends with an outcome, and can be done again with the same bits."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from faults import failing
from prunectl.api.session import Session
from prunectl.base.errors import MethodError
from prunectl.execute import child
from prunectl.execute.outcome import Outcome, Request, Status
from prunectl.plan.steps import Key, Measure, Train

SAMPLED = 12
"""The most calls of a step that are made to fail, one after the other."""
DISKS = [(errno.ENOSPC, True), (errno.EDQUOT, False), (errno.EIO, False), (errno.EIO, True), (errno.EROFS, True)]


def do(session: Session, key: Key, snapshot_s: float = 1e9) -> Outcome:
    request = Request(
        key=key, step=session.plan.steps[key], store=session.store.root, data=Path(), device="cpu", threads=1,
        snapshot_s=snapshot_s,
    )  # fmt: skip
    return child.do(request, lambda: False, lambda done, total: None)


def step_of(session: Session, kind: type[Measure] | type[Train]) -> Key:
    """A step of a kind on a pruned network."""
    steps = session.plan.steps.items()
    return next(key for key, step in steps if isinstance(step, kind) and step.mask is not None)


def points(total: int) -> list[int]:
    """Numbers of calls, spread over a step."""
    return sorted({1 + round(i * (total - 1) / (SAMPLED - 1)) for i in range(SAMPLED)})


def calls(session: Session, key: Key, snapshot_s: float, reads: bool) -> int:
    session.store.delete(key)
    with failing(session.store.root, 0, reads=reads) as counted:
        do(session, key, snapshot_s)
    session.store.delete(key)
    return counted.count


@pytest.mark.parametrize(("error", "lasting"), DISKS)
@pytest.mark.parametrize(("kind", "snapshot_s"), [(Measure, 1e9), (Train, 0.0)])
def test_a_disk_that_fails_at_any_call_costs_no_outcome_and_no_bit(
    own: Session, kind: type[Measure] | type[Train], snapshot_s: float, error: int, lasting: bool
) -> None:
    key = step_of(own, kind)
    gold = {name: digest for name, digest in own.store.manifest(key).files.items() if name != "info.json"}
    reads = error == errno.EIO
    total = calls(own, key, snapshot_s, reads)
    assert total > 20
    for at in points(total):
        with failing(own.store.root, error, at=at, lasting=lasting, reads=reads):
            outcome = do(own, key, snapshot_s)
        if outcome.status is Status.FATAL:
            assert outcome.exit_code == 4 and str(own.store.root) in outcome.reason, outcome
        else:
            assert outcome.status in (Status.DONE, Status.REUSED), outcome
        assert own.store.failure(key) is None, "the step is not to blame"
        assert do(own, key).status in (Status.DONE, Status.REUSED)
        files = own.store.manifest(own.store.fetch(key).name).files
        assert {name: files[name] for name in gold} == gold
        own.store.delete(key)


@pytest.mark.parametrize("error", [MethodError("no answer"), ZeroDivisionError("by zero")])
@pytest.mark.parametrize(("number", "lasting"), DISKS)
def test_a_failure_that_cannot_be_recorded_is_a_failure_of_the_store(
    own: Session, monkeypatch: pytest.MonkeyPatch, error: Exception, number: int, lasting: bool
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    key = step_of(own, Measure)
    own.store.delete(key)
    monkeypatch.setattr(child, "perform", fail)
    with failing(own.store.root, 0) as counted:
        assert do(own, key).status is Status.FAILED
    for at in points(counted.count):
        own.store.forget_failure(key)
        with failing(own.store.root, number, at=at, lasting=lasting):
            outcome = do(own, key)
        if outcome.status is Status.FATAL:
            assert outcome.exit_code == 4 and str(own.store.root) in outcome.reason, outcome
        else:
            assert outcome.status is Status.FAILED and own.store.failure(key) is not None, outcome


def raising(error: Exception) -> Callable[..., None]:
    def act(*arguments: object) -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("I/O error: No space left on device (os error 28)"), "no space or no inodes left"),
        (RuntimeError("I/O error: Disk quota exceeded (os error 122)"), "the quota is used up"),
        (RuntimeError("I/O error: Read-only file system (os error 30)"), "cannot be written"),
        (OSError(errno.EIO, "Input/output error"), "a disk failed"),
    ],
)
def test_a_failing_disk_is_recognised_in_what_libraries_raise(
    own: Session, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    key = step_of(own, Measure)
    own.store.delete(key)
    monkeypatch.setattr(child, "perform", raising(error))
    outcome = do(own, key)
    assert (outcome.status, outcome.exit_code) == (Status.FATAL, 4)
    assert message in outcome.reason


def test_a_file_of_somebody_else_is_a_failure_of_the_step_alone(own: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    key = step_of(own, Measure)
    own.store.delete(key)
    monkeypatch.setattr(child, "perform", raising(PermissionError(errno.EACCES, "Permission denied", "/data/x.png")))
    outcome = do(own, key)
    assert outcome.status is Status.FAILED
    assert outcome.reason.startswith("PermissionError: [Errno 13] Permission denied: '/data/x.png' (")


def test_a_parent_that_vanishes_under_a_step_is_made_again(own: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    key = step_of(own, Measure)
    step = own.plan.steps[key]
    assert isinstance(step, Measure)
    own.store.delete(key)

    def vanish(*arguments: object) -> None:
        own.store.delete(step.state)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "state.safetensors")

    monkeypatch.setattr(child, "perform", vanish)
    outcome = do(own, key)
    assert (outcome.status, outcome.damaged) == (Status.DAMAGED, step.state)
    assert own.store.failure(key) is None


def test_a_damaged_parent_that_cannot_be_set_aside_ends_the_run(own: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be found complete, and damaged, again and again."""
    key = step_of(own, Measure)
    step = own.plan.steps[key]
    assert isinstance(step, Measure)
    own.store.delete(key)
    state = own.store.fetch(step.state) / "state.safetensors"
    state.chmod(0o644)
    state.write_bytes(b"x")
    monkeypatch.setattr("prunectl.store.local.set_aside", lambda *arguments: "Permission denied")
    outcome = do(own, key)
    assert (outcome.status, outcome.exit_code) == (Status.FATAL, 4)
    assert "cannot be set aside (Permission denied)" in outcome.reason
