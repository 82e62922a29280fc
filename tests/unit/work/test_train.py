"""What an interrupted or resumed training reports: the seconds, and from where; and when its curve has points."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import torch

from prunectl.datasets.content import content_of
from prunectl.plan.build import build
from prunectl.plan.steps import Train, key_of, preimage
from prunectl.study.load import validate
from prunectl.work import train
from prunectl.work.context import Context, Stopped
from prunectl.work.perform import perform

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


def test_a_snapshot_from_before_this_was_kept_reports_nothing(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    attempts.interrupted(after=6)
    head = tmp_path / "snapshots" / "progress.json"
    text = head.read_text()
    head.write_text(text.replace(', "resume": ""', ""))
    assert head.read_text() != text
    attempts.whole()
    assert attempts.resumed == []


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
