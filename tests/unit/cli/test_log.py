"""`prunectl log`: what steps left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunectl.api.log import _no_arm
from prunectl.api.run import Completed
from prunectl.api.session import Session
from prunectl.cli.log import MOST_POINTS, table
from prunectl.cli.run import show_failures
from prunectl.execute.driver import Tally

Prunectl = Callable[..., Any]


@pytest.fixture
def failed(own: Session) -> Session:
    """A study of which one training failed, and printed something before."""
    key = next(trial.state for trial in own.plan.trials if trial.mask)
    own.store.delete(key)
    own.store.record_failure(key, "crash", "NameError: nn (mine.py:3, in score)", "Traceback ...\nNameError: nn\n")
    own.store.keep_log(key, b"hello\n\xff")
    return own


def test_a_failed_step_shows_its_traceback_and_what_it_printed(prunectl: Prunectl, failed: Session) -> None:
    key = next(trial.state for trial in failed.plan.trials if trial.mask)
    ran = prunectl("log", key[:8], failed.path, "--store", failed.store.root)
    assert ran.out.splitlines()[:5] == [
        f"{key[:12]}  train magnitude · at init, 50 %, seed 1: failed: NameError: nn (mine.py:3, in score)",
        "  traceback:",
        "    Traceback ...",
        "    NameError: nn",
        "  printed:",
    ]
    assert "    hello" in ran.out
    named = prunectl("log", key, "--store", failed.store.root).out
    assert named.startswith(f"{key[:12]}  train magnitude · at init, 50 %, seed 1: failed"), "by the record of the run"


def test_an_arm_shows_its_failures_and_trainings(prunectl: Prunectl, failed: Session) -> None:
    document = prunectl("log", "magnitude", failed.path, "--store", failed.store.root, "--json").json()
    assert {log["status"] for log in document} == {"failed", "done"}
    assert prunectl("log", "magnitude · at init", failed.path, "--store", failed.store.root).code == 0
    wrong = prunectl("log", "magnitud", failed.path, "--store", failed.store.root)
    assert (wrong.code, "has no arm 'magnitud'" in wrong.err) == (2, True)
    assert "prunectl cache ls" in wrong.err


def test_of_many_arms_the_nearest_few_are_named() -> None:
    """Seventeen labels in one line hid the one that was meant."""
    many = [
        f"{criterion} · at {at}" for criterion in ("random", "snip", "grasp", "magnitude") for at in ("init", "end")
    ]
    error = _no_arm("smoke", "Magnitud", many)
    nearest = "'magnitude · at init', 'magnitude · at end' and "
    assert error.message.startswith(f"smoke has no arm 'Magnitud'; the nearest are {nearest}")
    assert error.message.endswith("; it has 5 more")
    assert _no_arm("s", "x", ["snip", "grasp"]).message == "s has no arm 'x'; its arms are 'snip' and 'grasp'"


def test_a_training_shows_its_curve(
    prunectl: Prunectl, completed: tuple[Path, Completed], session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = next(trial.state for trial in session.plan.trials if trial.mask)
    out = prunectl("log", key, "STUDY").out
    assert f"{key[:12]}  train magnitude · at init, 50 %, seed 1: done in " in out
    assert "    step  epoch  lr" in out and "\n    2     1 " in out


def test_without_a_study_it_is_that_of_the_last_run_here(prunectl: Prunectl) -> None:
    assert "prunectl log ARM STUDY" in prunectl("log", "magnitude").err
    prunectl("run", "STUDY", "-q")
    assert prunectl("log", "random").out.count("train random · at init, 50 %, seed 1: done in ") == 1


def test_an_arm_that_the_last_command_left_out_is_there_all_the_same(prunectl: Prunectl) -> None:
    """`log` took over the --only of the last command without a word, and denied that the study has the arm."""
    assert prunectl("run", "STUDY", "--only", "criterion=random", "-q").code == 0
    ran = prunectl("log", "magnitude · at init")
    assert (ran.code, ran.out.count("train magnitude · at init, 50 %, seed 1: done in ")) == (0, 1), ran.err


def test_of_a_long_curve_the_first_and_the_last_point_are_shown() -> None:
    keys = ("lr", "train_loss", "test_loss", "top1")
    curve = [{"step": step, "epoch": step / 10, **dict.fromkeys(keys, 0.5)} for step in range(100)]
    lines = table(curve)
    assert len(lines) == 1 + MOST_POINTS
    assert lines[1].startswith("0 ") and lines[-1].startswith("99 ")


def test_debug_shows_the_tracebacks_of_a_run(
    failed: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = next(trial.state for trial in failed.plan.trials if trial.mask)
    tally = Tally(failed={key: "NameError"})
    monkeypatch.delenv("PRUNECTL_DEBUG", raising=False)
    show_failures(failed, tally)
    assert capsys.readouterr().err == f"traceback: prunectl log {key[:12]}\n"
    monkeypatch.setitem(os.environ, "PRUNECTL_DEBUG", "1")
    show_failures(failed, tally)
    assert capsys.readouterr().err == "Traceback ...\nNameError: nn\n"
