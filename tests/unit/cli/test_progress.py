"""What is shown while steps are done."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from prunectl.api.make import todo_of
from prunectl.api.session import Session, open_study
from prunectl.cli.progress import Lines, Live, Silent, showing, title
from prunectl.execute.outcome import Outcome, Progress, Status
from prunectl.plan.steps import Key


@pytest.fixture
def planned(session: Session, tmp_path: Any) -> Session:
    """The same study with an empty store."""
    arms = ['prune[0].criterion=["magnitude", { name = "snip" }, "synflow"]', 'prune[0].ablation=["none", "invert"]']
    return open_study(session.path, set=arms, store=tmp_path / "store")


def keys(session: Session, kind: str) -> list[Key]:
    return [key for key, step in session.plan.steps.items() if step.kind == kind]


def test_steps_have_titles(planned: Session) -> None:
    titles = {title(step) for step in planned.plan.steps.values()}
    assert {
        "init, seed 1",
        "train dense, seed 1, steps 0 to 2",
        "train pruned, seed 1, steps 0 to 2",
        "score snip, seed 1",
        "prune to 0.5, seed 1",
        "prune to 0.5, inverted, seed 1",
        "prune synflow to 0.5 in 100 rounds, seed 1",
        "measure, seed 1",
    } <= titles


def test_lines_count_the_steps_that_ended(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    key = keys(planned, "init")[0]
    with Lines(planned.plan, 3) as show:
        show(Outcome(key=key, status=Status.BUSY))
        show(Progress(key=key, done=1, total=2))
        show(Outcome(key=key, status=Status.DONE, wall_s=0.25))
        show(Outcome(key=key, status=Status.DAMAGED, reason="x.json differs"))
        show(Outcome(key=key, status=Status.FAILED, reason="no answer"))
        show(Outcome(key=key, status=Status.SKIPPED, reason="no answer"))
    assert capsys.readouterr().err.splitlines() == [
        "[1/3] done: init, seed 1 (250 ms)",
        "[1/3] damaged: init, seed 1: x.json differs",
        "[2/3] failed: init, seed 1: no answer",
        "[3/3] skipped: init, seed 1: no answer",
    ]


def test_quiet_shows_failures_only(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    key = keys(planned, "init")[0]
    with Silent() as show:
        show(Outcome(key=key, status=Status.DONE))
        show(Outcome(key=key, status=Status.FAILED, reason="no answer"))
    assert capsys.readouterr().err == "failed: no answer\n"


def test_the_display_suits_where_it_goes(planned: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    todo = todo_of(planned, "retrain")
    assert isinstance(showing(planned.plan, True)(todo), Silent)
    assert isinstance(showing(planned.plan, False)(todo), Lines)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert isinstance(showing(planned.plan, False)(todo), Live)


def test_a_live_display_has_a_bar_per_training(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    key = keys(planned, "train")[0]
    with Live(planned.plan, 2) as show:
        show(Progress(key=key, done=1, total=2))
        assert list(show.trainings) == [key]
        show(Progress(key=key, done=2, total=2))
        show(Outcome(key=key, status=Status.DONE))
        assert show.trainings == {}
        show(Outcome(key=key, status=Status.FAILED, reason="[bold]no answer"))
    err = capsys.readouterr().err
    assert "failed: train dense, seed 1, steps 0 to 2: [bold]no answer" in " ".join(err.split())
    assert "1 done, 1 failed in " in err
