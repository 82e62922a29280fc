"""What an interrupted or resumed training reports, when its curve has points, and what a damaged snapshot does."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prunectl.base.errors import PrunectlError
from prunectl.datasets.content import content_of
from prunectl.plan.build import build
from prunectl.plan.steps import Train, key_of, preimage
from prunectl.store.atomic import LARGEST_DOCUMENT, remove_tree, sha256
from prunectl.store.sealed import seal, unseal
from prunectl.study.load import validate
from prunectl.training import loop
from prunectl.work import snapshots, train
from prunectl.work.context import Context, Stopped
from prunectl.work.perform import perform
from prunectl.work.tensors import write_tensors

STUDY: dict[str, Any] = {
    "name": "t",
    "data": {"name": "digits", "train_limit": 120, "test_limit": 50},
    "model": {"name": "tiny-cnn"},
    "train": {"epochs": 4, "batch_size": 40, "lr": 0.05},
    "sweep": {"sparsities": [0.0], "seeds": [1]},
    "prune": [{"criterion": "magnitude"}],
}
EARLIER = "ab" * 32


class Attempts:
    """One dense training of 12 steps, and what it reported in each attempt at it."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        study, slips = validate(STUDY)
        assert study is not None, slips
        plan = build(study, content_of(study.data.dataset, Path()))
        step = plan.steps[plan.trials[0].state]
        assert isinstance(step, Train)
        self.folder, self.step = folder, step
        self.start = folder / "start"
        self.start.mkdir()
        perform(plan.steps[step.start], {}, self.start, self.context())

    def context(self, stopping: Callable[[], bool] = lambda: False) -> Context:
        self.credits: list[float] = []
        self.resumed: list[str] = []
        return Context(
            device=torch.device("cpu"),
            data_root=self.folder,
            snapshots=self.folder / "snapshots",
            stopping=stopping,
            credit=self.credits.append,
            resumed=self.resumed.append,
        )

    def interrupted(self, after: int, resume: Path | None = None) -> None:
        """An attempt that is asked to stop after some steps."""
        asked = count(1)
        with pytest.raises(Stopped):
            self.perform(self.context(lambda: next(asked) == after), resume)

    def whole(self, resume: Path | None = None) -> None:
        self.perform(self.context(), resume)

    def perform(self, context: Context, resume: Path | None = None, to_step: int = 12) -> None:
        inputs = {"start": self.start} | ({"resume": resume} if resume else {})
        out = self.folder / "out"
        out.mkdir(exist_ok=True)
        perform(replace(self.step, to_step=to_step), inputs, out, context)

    def checkpoint(self, to_step: int) -> Path:
        """An earlier state of the same training; as in the store, its directory is named by its key."""
        self.perform(self.context(), to_step=to_step)
        return (self.folder / "out").rename(self.folder / EARLIER)


def test_the_seconds_of_all_earlier_attempts_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count()
    monkeypatch.setattr(train, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    attempts = Attempts(tmp_path)
    attempts.interrupted(after=3)
    assert attempts.credits == [0.0]
    attempts.interrupted(after=3)
    (once,) = attempts.credits
    attempts.interrupted(after=3)
    assert attempts.credits == [2 * once]
    attempts.whole()
    assert attempts.credits == [3 * once]
    assert once > 0


def test_a_training_reports_what_it_was_resumed_from(tmp_path: Path) -> None:
    """An earlier state that was not used is not reported; a snapshot remembers what was."""
    attempts = Attempts(tmp_path)
    earlier = attempts.checkpoint(to_step=4)
    assert attempts.resumed == [""]
    attempts.whole(resume=earlier)
    assert attempts.resumed == [EARLIER]
    attempts.interrupted(after=2, resume=earlier)
    attempts.whole()
    assert attempts.resumed == [EARLIER]


def test_an_earlier_state_is_not_reported_where_a_snapshot_is_further(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    earlier = attempts.checkpoint(to_step=4)
    attempts.interrupted(after=6)
    attempts.whole(resume=earlier)
    assert attempts.resumed == [""]


@pytest.mark.parametrize(("evaluate", "steps"), [("epoch", [3, 6, 9, 12]), (5, [5, 10, 12]), ("never", [])])
def test_the_curve_has_points_as_often_as_the_step_asks(
    evaluate: Literal["epoch", "never"] | int, steps: list[int], tmp_path: Path
) -> None:
    attempts = Attempts(tmp_path)
    attempts.step = replace(attempts.step, evaluate=evaluate)
    attempts.whole()
    progress = json.loads((tmp_path / "out" / "progress.json").read_text())
    assert [point["step"] for point in progress["curve"]] == steps
    assert "evaluate" not in preimage(replace(attempts.step, evaluate="epoch"))
    assert (key_of(attempts.step) == key_of(replace(attempts.step, evaluate="epoch"))) == (evaluate == "epoch")


# --- snapshots that are damaged ---


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Attempts, bytes]:
    """A training with a snapshot after six steps, and the state that it ends with when nothing interrupts it."""
    attempts = Attempts(tmp_path_factory.mktemp("interrupted"))
    attempts.whole()
    whole = (attempts.folder / "out" / "state.safetensors").read_bytes()
    attempts.interrupted(after=6)
    shutil.copytree(attempts.folder / "snapshots", attempts.folder / "kept")
    return attempts, whole


def restored(attempts: Attempts) -> Path:
    """The head of the snapshot, in a fresh copy."""
    remove_tree(attempts.folder / "snapshots")
    shutil.copytree(attempts.folder / "kept", attempts.folder / "snapshots")
    return attempts.folder / "snapshots" / "progress.json"


def begins_again(attempts: Attempts, whole: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training starts from its first step, leaves the right bits, and is not stuck."""
    steps: list[int] = []
    advance = loop.advance

    def recorded(trainee: Any, to_step: int) -> None:
        steps.append(trainee.step)
        advance(trainee, to_step)

    monkeypatch.setattr(train, "advance", recorded)
    attempts.whole()
    assert steps == [0]
    assert attempts.resumed == [""]
    assert (attempts.folder / "out" / "state.safetensors").read_bytes() == whole
    assert not (attempts.folder / "snapshots").exists()


def test_a_sound_snapshot_is_taken_up(interrupted: tuple[Attempts, bytes]) -> None:
    attempts, whole = interrupted
    head = restored(attempts)
    point = snapshots.read(key_of(attempts.step), head.parent)
    assert point is not None and point.numbers["step"] == 6
    attempts.whole()
    assert (attempts.folder / "out" / "state.safetensors").read_bytes() == whole


def test_no_flipped_bit_of_a_head_is_taken_for_a_snapshot(interrupted: tuple[Attempts, bytes]) -> None:
    attempts, _ = interrupted
    sound = restored(attempts).read_bytes()
    for place in range(len(sound)):
        head = attempts.folder / "snapshots" / "progress.json"
        changed = bytearray(sound)
        changed[place] ^= 1 << place % 8
        head.write_bytes(changed)
        assert snapshots.read(key_of(attempts.step), head.parent) is None
        assert not head.parent.exists(), "discarded"
        head.parent.mkdir()


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damage_of_a_snapshot_changes_what_is_taken_up(
    interrupted: tuple[Attempts, bytes], data: st.DataObject
) -> None:
    attempts, _ = interrupted
    head = restored(attempts)
    sound = snapshots.read(key_of(attempts.step), head.parent)
    assert sound is not None
    file = data.draw(st.sampled_from([head, head.with_name("6.safetensors")]))
    content = file.read_bytes()
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    file.write_bytes(content[:begin] + data.draw(st.binary(max_size=6)) + content[end:])
    point = snapshots.read(key_of(attempts.step), head.parent)
    assert point is None or (point.numbers == sound.numbers and file.read_bytes() == content)


def directory(head: Path) -> None:
    head.unlink()
    head.mkdir()


def link_loop(head: Path) -> None:
    head.unlink()
    head.symlink_to(head.name)


def huge(head: Path) -> None:
    with head.open("r+b") as file:
        file.truncate(LARGEST_DOCUMENT + 1)


def without_tensors(head: Path) -> None:
    head.with_name("6.safetensors").unlink()


def tensors_a_directory(head: Path) -> None:
    without_tensors(head)
    head.with_name("6.safetensors").mkdir()


def text(content: bytes) -> Callable[[Path], object]:
    return lambda head: head.write_bytes(content)


def sealed(**changes: Any) -> Callable[[Path], object]:
    """A head that is whole, with other values: as another version or a broken plug-in may have left it."""
    return lambda head: head.write_bytes(seal({**unseal(head.read_bytes()), **changes}))


def numbers(**changes: Any) -> Callable[[Path], object]:
    def write(head: Path) -> None:
        body = unseal(head.read_bytes())
        changed = {name: value for name, value in {**body["numbers"], **changes}.items() if value is not None}
        head.write_bytes(seal({**body, "numbers": changed}))

    return write


def other_tensors(head: Path) -> None:
    """Whole tensors, of another network."""
    write_tensors(head.with_name("6.safetensors"), {"model/weight": torch.zeros(3)})
    sealed(sha256=sha256(head.with_name("6.safetensors")))(head)


def from_before(head: Path) -> None:
    """As it was written before heads had a digest."""
    body = unseal(head.read_bytes())
    del body["key"]
    head.write_text(json.dumps(body))


@pytest.mark.parametrize(
    "damage",
    [
        directory, link_loop, huge, without_tensors, tensors_a_directory, other_tensors, from_before,
        text(b""), text(b"[]"), text(b"{}"), text(b"null"), text(b"[" * 100_000), text(b"\xff\xfe"),
        sealed(key="0" * 64), sealed(file="/etc/passwd"), sealed(file=7), sealed(numbers=None), sealed(numbers=[]),
        numbers(step=None), numbers(step="6"), numbers(step=5), numbers(step=6.0), numbers(seen=None),
        numbers(curve=[{"step": 3, "unknown": 1}]), numbers(curve=7), numbers(curve=None),
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_a_snapshot_the_training_begins_again(
    damage: Callable[[Path], object], interrupted: tuple[Attempts, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts, whole = interrupted
    damage(restored(attempts))
    begins_again(attempts, whole, monkeypatch)


def test_an_earlier_state_that_does_not_fit_is_a_bug_and_not_hidden(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    earlier = attempts.checkpoint(to_step=4)
    write_tensors(earlier / "state.safetensors", {"model/weight": torch.zeros(3)})
    with pytest.raises(RuntimeError, match="Missing key"):
        attempts.whole(resume=earlier)


def test_a_snapshot_is_readable_for_whoever_shares_the_store(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    old = os.umask(0o002)
    try:
        attempts.interrupted(after=2)
    finally:
        os.umask(old)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "snapshots").iterdir()} == {0o664}
    assert (tmp_path / "snapshots").stat().st_mode & 0o777 == 0o775


def test_a_worker_refuses_a_precision_that_its_device_does_not_have(tmp_path: Path) -> None:
    """Its float32 must not be stored as TF32: the run stops, and another machine can do the step."""
    attempts = Attempts(tmp_path)
    step = replace(attempts.step, recipe=replace(attempts.step.recipe, precision="tf32"))
    with pytest.raises(PrunectlError, match="tf32") as refused:
        perform(step, {"start": attempts.start}, tmp_path, attempts.context())
    assert "float32" in (refused.value.hint or "")
