"""The plan in numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import write_study
from prunectl.api.make import todo_of
from prunectl.api.plan import planned
from prunectl.api.session import Session, open_study
from small import SMALL


def test_before_a_run_everything_is_to_do(tmp_path: Path) -> None:
    found = planned(open_study(write_study(tmp_path, SMALL), store=tmp_path / "store"))
    assert (found.study, found.trials, found.dense_trainings) == ("small", 4, 1)
    assert {kind.why.get("never made") for kind in found.steps.values()} == {
        kind.steps for kind in found.steps.values()
    }
    assert all(kind.to_do == kind.steps and kind.reused == 0 for kind in found.steps.values())
    assert found.training_steps == 3 * 2
    assert found.training_steps_unshared > found.training_steps
    assert (found.estimate_s, found.changed) == (None, [])


def test_after_a_run_nothing_is_to_do(session: Session) -> None:
    found = planned(session)
    assert all(kind.to_do == 0 and kind.reused == kind.steps for kind in found.steps.values())
    assert (found.estimate_s, found.estimate_bytes) == (0, 0)
    assert found.unchecked == "", "nothing is to do"


def test_what_changed_and_how_long_it_takes_comes_from_the_store(completed: tuple[Path, object]) -> None:
    folder, _ = completed
    found = planned(open_study(folder / "study.toml", set=["train.lr=0.07"], store=folder / "store"))
    assert "train: recipe.lr 0.05 → 0.07" in found.changed
    assert found.estimate_s is not None and found.estimate_s > 0
    assert found.estimate_bytes is not None and found.estimate_bytes > 0
    assert found.unchecked.startswith("not checked: that the network ")
    assert "--check` checks this, and `run` does before its first training" in found.unchecked
    assert found.unknown == ()


def test_the_space_of_many_small_artefacts_is_that_of_their_blocks(completed: tuple[Path, object]) -> None:
    """Of files, manifests and directories: the sizes of the files alone are a fraction of it."""
    folder, _ = completed
    done = open_study(folder / "study.toml", store=folder / "store")
    other = open_study(folder / "study.toml", set=["train.lr=0.07"], store=folder / "store")
    to_do = todo_of(other, "retrain").todo
    alike = [key for key, changed in zip(done.plan.steps, other.plan.steps, strict=True) if changed in to_do]
    block = done.store.block_bytes
    paths = [path for key in alike for folder in [done.store.fetch(key)] for path in [folder, *folder.iterdir()]]
    taken = sum(-(-(path.stat().st_size if path.is_file() else 1) // block) * block for path in paths)
    assert planned(other).estimate_bytes == pytest.approx(taken, rel=0.15)
    assert taken > 1.4 * sum(done.store.manifest(key).size_bytes for key in alike)


def test_failures_and_what_they_skip_are_counted(own: Session) -> None:
    key = next(trial.plain_mask for trial in own.plan.trials if trial.plain_mask is not None)
    own.store.delete(key)
    for trial in own.plan.trials:
        if trial.mask == key:
            own.store.delete(trial.state)
            own.store.delete(trial.measure)
    own.store.record_failure(key, "method", "no answer", "")
    steps = planned(own).steps
    assert sum(kind.failed for kind in steps.values()) == 1
    assert sum(kind.skipped for kind in steps.values()) == 2
