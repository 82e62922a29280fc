"""`plan --measure`: short measurements on a store that is gone afterwards."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import in_process
from cli import write_study
from in_process import ENGINES
from prunectl.api import probe as probing
from prunectl.api.make import todo_of
from prunectl.api.plan import planned
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError
from prunectl.execute.outcome import Outcome, Status
from prunectl.plan import short
from prunectl.plan.probe import STORE
from prunectl.plan.steps import Init, Train
from small import HERE, SMALL

GRADUAL = """
[[prune]]
criterion = "magnitude"
rounds = { name = "gradual", to = { step = 1 } }
"""


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the process of the test, its temporary stores in a folder that it can look into; two lengths are enough."""
    monkeypatch.setattr(probing.probe, "__defaults__", (HERE,))
    monkeypatch.setattr(short, "ENOUGH_S", 0.0)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


def opened(folder: Path, text: str = SMALL) -> Session:
    return open_study(write_study(folder, text), store=folder / "store")


def test_a_study_that_was_never_run_gets_a_time_and_nothing_is_kept(tmp_path: Path) -> None:
    session, shown = opened(tmp_path), list[str]()
    found = planned(session, measure=True, warn=shown.append)
    assert found.estimate_s is not None and found.estimate_s > 0
    assert found.estimate_bytes is not None and found.estimate_bytes > 0
    assert [(each.kind, each.on, each.per) for each in found.measured] == [
        ("measure (tiny-cnn, digits)", "cpu", "test of 50 images"),
        ("train (tiny-cnn, digits)", "cpu", "step of 50 images"),
    ]
    assert {kind.partition(" ")[0] for kind in found.unknown} == {"score", "prune"}
    assert [line.partition(";")[0] for line in shown] == [
        "measuring on cpu: measure (tiny-cnn, digits)",
        "measuring on cpu: train (tiny-cnn, digits)",
    ]
    assert not (tmp_path / "store").exists() or list(session.store.keys()) == []
    assert list((tmp_path / "tmp").iterdir()) == []
    assert ENGINES[-1].stopped == 1


def test_without_the_option_nothing_is_done(tmp_path: Path) -> None:
    before = len(ENGINES)
    found = planned(opened(tmp_path))
    assert (found.estimate_s, found.measured, len(ENGINES)) == (None, (), before)


def test_where_everything_is_known_nothing_is_measured(completed: tuple[Path, object]) -> None:
    folder, _ = completed
    before = len(ENGINES)
    other = open_study(folder / "study.toml", set=["train.lr=0.07"], store=folder / "store")
    found = planned(other, measure=True)
    assert (len(ENGINES), len(found.measured), found.unknown) == (before, 0, ())
    assert found.estimate_s == planned(other).estimate_s


def test_one_training_is_measured_for_those_that_prune_on_the_way_too(tmp_path: Path) -> None:
    found = planned(opened(tmp_path, SMALL + GRADUAL), measure=True)
    (training,) = [each for each in found.measured if each.kind.startswith("train")]
    assert training.also_for == ("train (tiny-cnn, digits, gradual, magnitude)",)
    assert not any(kind.startswith("train") for kind in found.unknown)
    recipes = {request.step.evaluate for request in ENGINES[-1].started if isinstance(request.step, Train)}
    assert recipes == {"never"}
    assert all(request.step.during is None for request in ENGINES[-1].started if isinstance(request.step, Train))


def test_steps_in_the_store_serve_where_there_are_any(completed: tuple[Path, object], tmp_path: Path) -> None:
    folder, _ = completed
    session = open_study(write_study(tmp_path, SMALL + GRADUAL), store=folder / "store")
    (training,) = planned(session, measure=True).measured
    assert (training.kind, training.on, training.per) == ("train (tiny-cnn, digits)", STORE, "image")
    assert training.also_for == ("train (tiny-cnn, digits, gradual, magnitude)",)
    assert not any(isinstance(request.step, Train) for request in ENGINES[-1].started)


def test_ctrl_c_leaves_the_plan_as_it_is_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(engine: in_process.Engine, timeout_s: float) -> Iterator[Outcome]:
        raise KeyboardInterrupt

    monkeypatch.setattr(in_process.Engine, "wait", wait)
    session, shown = opened(tmp_path), list[str]()
    assert planned(session, measure=True, warn=shown.append) == planned(session)
    assert shown[-1] == probing.STOPPED
    assert ENGINES[-1].stopped == 1
    assert list((tmp_path / "tmp").iterdir()) == []


def ending(monkeypatch: pytest.MonkeyPatch, status: Status, reason: str) -> None:
    """Let every training end in one way."""
    do = in_process.Engine.wait

    def wait(engine: in_process.Engine, timeout_s: float) -> Iterator[object]:
        (request,) = engine.running.values()
        if isinstance(request.step, Train):
            engine.running.clear()
            yield Outcome(key=request.key, status=status, reason=reason, hint="download them", exit_code=2)
        else:
            yield from do(engine, timeout_s)

    monkeypatch.setattr(in_process.Engine, "wait", wait)


def test_a_training_that_fails_stays_unknown_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, Status.LOST, "its worker was killed")
    shown = list[str]()
    found = planned(opened(tmp_path), measure=True, warn=shown.append)
    assert "train (tiny-cnn, digits)" in found.unknown
    assert shown[-1].startswith("train (tiny-cnn, digits) could not be measured: its worker was killed. ")
    assert [each.kind for each in found.measured] == ["measure (tiny-cnn, digits)"]


def test_data_that_are_missing_are_the_usual_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, Status.FATAL, "no digits here")
    with pytest.raises(PrunectlError, match="no digits here") as raised:
        planned(opened(tmp_path), measure=True)
    assert (raised.value.hint, raised.value.exit_code) == ("download them", 2)
    assert ENGINES[-1].stopped == 1


def test_the_weights_at_the_start_are_made_once_and_known_then_too(tmp_path: Path) -> None:
    session = opened(tmp_path)
    probed = probing.probe(session, todo_of(session, "retrain"), [], lambda text: None)
    assert {past.wall_s > 0 for past in probed.past} == {True}
    assert [json.loads(past.preimage)["kind"] for past in probed.past] == ["init", "measure", "train"]
    assert sum(isinstance(request.step, Init) for request in ENGINES[-1].started) == 1
