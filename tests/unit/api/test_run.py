"""Running a study from Python: `prunectl.run`, and what it repeats when artefacts turn out damaged."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import prunectl
from cli import environment, write_study
from in_process import InProcess
from prunectl.api.plan import planned
from prunectl.api.run import Completed, complete, reach, run
from prunectl.api.session import Session
from prunectl.base.errors import StudyError
from prunectl.execute.outcome import Event, Outcome
from small import HERE, SMALL, damage


def test_a_run_returns_a_table_with_one_row_per_trial(tmp_path: Path) -> None:
    study = write_study(tmp_path, SMALL)
    heard: list[Event] = []
    results = run(
        study,
        only=["criterion=random,sparsity=0.5"],
        set={"train.epochs": 2},
        executor=InProcess(),
        store=tmp_path / "store",
        listen=heard.append,
    )
    assert isinstance(results.trials, pl.DataFrame)
    assert results.trials.select("criterion", "sparsity", "status").rows() == [("random", 0.5, "done")]
    assert results.study.train.epochs == 2
    assert any(isinstance(event, Outcome) for event in heard)
    assert not (tmp_path / "results").exists(), "nothing is written except to the store"


def test_it_is_what_the_package_offers() -> None:
    assert prunectl.run is run


def test_a_study_that_is_wrong_raises(tmp_path: Path) -> None:
    with pytest.raises(StudyError):
        run(write_study(tmp_path, SMALL.replace("[train]", "[trian]")), store=tmp_path / "store")


def test_every_problem_is_in_the_text_of_the_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as raised:
        run(write_study(tmp_path, SMALL), set={"train.epochs": -2, "train.optimizer": "sdg"}, store=tmp_path / "store")
    text = str(raised.value)
    assert "2 problems" in text and "--set train.epochs=-2: train.epochs: " in text and 'did you mean "sgd"?' in text


def test_a_complete_store_is_read_and_nothing_is_done(session: Session, completed: tuple[Path, Completed]) -> None:
    again = complete(session, HERE)
    assert again.tally.done == set()
    assert again.results.trials.equals(completed[1].results.trials)


@pytest.mark.parametrize("name", ["metrics.json", "mask.safetensors"])
def test_damage_is_recomputed_on_the_way(own: Session, name: str, completed: tuple[Path, Completed]) -> None:
    damage(own, name)
    if name == "mask.safetensors":
        for trial in own.plan.trials:
            own.store.delete(trial.measure)
    warnings: list[str] = []
    again = complete(own, HERE, warn=warnings.append)
    timeless = pl.all().exclude("train_s", "score_s")
    assert again.results.trials.select(timeless).equals(completed[1].results.trials.select(timeless))
    assert all("it is recomputed now" in warning for warning in warnings)
    assert all(own.store.has(key) for key in own.plan.targets("retrain"))


def test_a_stage_returns_what_it_made(tmp_path: Path) -> None:
    session = prunectl.open_study(write_study(tmp_path, SMALL), store=tmp_path / "store")
    made = reach(session, "prune", HERE)
    assert {row["arm"] for row in made.rows} == {"magnitude · at init", "random · at init"}
    assert all(row["sparsity_actual"] == pytest.approx(0.5, abs=1e-3) for row in made.rows)
    assert not any(session.store.has(trial.measure) for trial in session.plan.trials)
    assert made.tally.done


SCRIPT = """
import prunectl
print("begins")
results = prunectl.run("study.toml", only="criterion=random,sparsity=0.5", store="store", jobs=2)
print(results.trials["status"].to_list())
"""


@pytest.mark.parametrize("how", ["script", "standard input"])
def test_it_runs_without_a_guard_around_the_main_module(how: str, tmp_path: Path) -> None:
    """With the real processes: a child must not run the script again that started it."""
    write_study(tmp_path, SMALL)
    (tmp_path / "mine.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, *(["mine.py"] if how == "script" else [])],
        input=SCRIPT if how == "standard input" else "",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path / "store"),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "begins\n['done']\n"
    assert "Traceback" not in done.stderr


def remade(session: Session) -> str:
    """Have one training and its measurement to do again; the key of the training."""
    trial = session.plan.trials[-1]
    session.store.delete(trial.state)
    session.store.delete(trial.measure)
    return trial.state


def test_reusing_what_other_threads_made_is_reported_before_anything_is_done(own: Session) -> None:
    key = remade(own)
    warnings: list[tuple[str, bool]] = []
    machine = replace(HERE, threads=2)
    again = complete(own, machine, warn=lambda text: warnings.append((text, own.store.has(key))))
    ((text, late),) = warnings
    assert not late
    assert "steps that this run reuses were not made on cpu/" in text
    assert "with 2 threads, as the others will be" in text and "with 1 thread. " in text and "--threads" in text
    assert own.store.manifest(key).made.threads == 2
    assert "with 1 thread and 2 on cpu/" in again.results.mixture
    assert planned(own).mixture


def test_one_class_of_hardware_is_not_reported(own: Session, completed: tuple[Path, Completed]) -> None:
    remade(own)
    warnings: list[str] = []
    again = complete(own, HERE, warn=warnings.append)
    assert (warnings, again.results.mixture, planned(own).mixture) == ([], "", "")
    assert len(completed[1].results.made_on) == 1
