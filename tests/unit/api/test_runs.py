"""Recorded runs from the side of studies: what is recorded, and opening the same study again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli import write_study
from prunectl.api.make import make
from prunectl.api.runs import caption_of, last, needed, record, recorded, reopen
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError, StoreError, StudyError
from prunectl.plan.graph import Plan
from prunectl.store import layout
from small import HERE, SMALL


@pytest.fixture
def here(own: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """The study, in its directory, without recorded runs."""
    for file in (own.store.root / layout.RUNS).glob("*.json"):
        file.unlink()
    monkeypatch.chdir(own.path.parent)
    return own


def test_a_run_records_every_key_of_its_plan(here: Session) -> None:
    make(here, "train", HERE)
    run = recorded(here.store)[0]
    assert run.keys == set(here.plan.steps)
    assert (run.caption.name, run.caption.stage, run.caption.directory) == ("small", "train", str(here.path.parent))


def test_a_part_of_a_study_needs_its_part_and_where_it_resumes(here: Session) -> None:
    part = open_study(here.path, only="sparsity=0", store=here.store.root)
    targets = part.plan.closure(part.plan.targets("retrain"))
    assert needed(part.plan) == targets < set(part.plan.steps)
    state = part.plan.trials[0].state
    earlier = next(key for key in part.plan.steps if key not in targets)
    follows = Plan(steps=part.plan.steps, trials=part.plan.trials, follows={state: earlier})
    assert needed(follows) == targets | part.plan.closure([earlier])


def test_a_run_is_recorded_before_its_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_study(write_study(tmp_path, SMALL), store=tmp_path / "store", only="sparsity=0")
    seen: list[int] = []

    def drive(*arguments: Any, **options: Any) -> Any:
        seen.append(len(recorded(session.store)))
        raise KeyboardInterrupt

    monkeypatch.setattr("prunectl.execute.driver.drive", drive)
    with pytest.raises(KeyboardInterrupt):
        make(session, "retrain", HERE)
    assert seen == [1]


def test_a_study_that_cannot_be_run_is_not_recorded(tmp_path: Path) -> None:
    wrong = SMALL + '[prunable]\nexclude = ["hed"]\n'
    session = open_study(write_study(tmp_path, wrong), store=tmp_path / "store")
    with pytest.raises(StudyError):
        make(session, "retrain", HERE)
    assert recorded(session.store) == []


def test_a_run_with_nothing_to_do_works_with_a_store_that_cannot_be_written(
    here: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise StoreError("read-only")

    monkeypatch.setattr("prunectl.api.make.record", refuse)
    warnings: list[str] = []
    assert make(here, "retrain", HERE, warn=warnings.append).failed == {}
    assert warnings == ["this run is not recorded, so `cache gc` does not keep what it needs: read-only"]
    here.store.delete(here.plan.trials[0].measure)
    with pytest.raises(StoreError, match="read-only"):
        make(here, "retrain", HERE)


def test_the_last_run_in_a_directory_is_opened_as_it_was(here: Session, tmp_path: Path) -> None:
    first = open_study(here.path, only="sparsity=0", store=here.store.root)
    second = open_study(
        here.path, set=["train.epochs=2"], only="criterion=random", store=here.store.root, data=tmp_path
    )
    for session in (first, here, first, second):
        record(session, "retrain")
    assert len(recorded(here.store)) == 3
    run = last(here.store, Path.cwd())
    assert run is not None
    again = reopen(run, here.store)
    assert (again.selection, again.data, set(again.plan.steps)) == (second.selection, tmp_path, set(second.plan.steps))
    assert [trial.sparsity for trial in again.plan.trials] == [trial.sparsity for trial in second.plan.trials]
    assert again.path == Path("study.toml")
    assert last(here.store, tmp_path / "elsewhere") is None


def test_a_study_that_has_changed_since_is_named(here: Session) -> None:
    run = record(here, "retrain")
    warnings: list[str] = []
    reopen(run, here.store, warnings.append)
    assert warnings == []
    here.path.write_text(SMALL.replace("epochs = 1", "epochs = 2"))
    assert reopen(run, here.store, warnings.append).study.train.epochs == 2
    assert "study.toml has changed since it was run at 20" in warnings[0]


def test_a_study_that_is_gone_is_an_error(here: Session) -> None:
    run = record(here, "retrain")
    here.path.unlink()
    with pytest.raises(PrunectlError, match=r"was of study\.toml, which is gone"):
        reopen(run, here.store)


def test_a_record_that_cannot_be_read_is_a_warning(here: Session) -> None:
    run = record(here, "retrain")
    (here.store.root / layout.RUNS / f"{run.id}.json").write_text("{}")
    warnings: list[str] = []
    assert last(here.store, Path.cwd(), warnings.append) is None
    assert f"`prunectl cache rm {run.id}` forgets it" in warnings[0]


def test_a_user_without_a_name_is_recorded_by_number(here: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert caption_of(here, "train").user.isdigit()
