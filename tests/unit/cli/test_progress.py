"""What is shown while steps are done."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from prunectl.api.make import todo_of
from prunectl.api.session import Session, open_study
from prunectl.cli.progress import Lines, Live, Silent, showing, title
from prunectl.execute.outcome import Outcome, Progress, Status, WorkersChanged
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
    key, score, prune = keys(planned, "init")[0], keys(planned, "score")[0], keys(planned, "prune")[0]
    with Lines(planned.plan, [key, score, prune]) as show:
        show(Outcome(key=key, status=Status.BUSY))
        show(Progress(key=key, done=1, total=2))
        show(Outcome(key=key, status=Status.DONE, wall_s=0.25))
        show(Outcome(key=score, status=Status.DAMAGED, reason="x.json differs", damaged=key))
        show(Outcome(key=score, status=Status.FAILED, reason="no answer"))
        show(Outcome(key=prune, status=Status.SKIPPED, reason="no answer"))
    lines = capsys.readouterr().err.splitlines()
    assert [line[:14] for line in lines] == ["[1/3] done: in", "[1/3] damaged:", "[2/3] failed: ", "[3/3] skipped:"]
    assert lines[0] == "[1/3] done: init, seed 1 (250 ms)"
    assert lines[2].endswith("seed 1: no answer")


def test_a_step_that_is_made_again_is_counted_once(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    made, reused, child = keys(planned, "init")[0], keys(planned, "train")[0], keys(planned, "score")[0]
    with Lines(planned.plan, [made, child]) as show:
        show(Outcome(key=made, status=Status.DONE))
        for deleted in (made, reused):
            show(Outcome(key=child, status=Status.DAMAGED, reason="it is gone", damaged=deleted))
            show(Outcome(key=deleted, status=Status.DONE))
        show(Outcome(key=child, status=Status.DONE))
    counts = [line.partition("]")[0][1:] for line in capsys.readouterr().err.splitlines()]
    assert counts == ["1/2", "1/2", "1/2", "1/3", "2/3", "3/3"]


def test_a_step_that_another_process_made_is_counted_silently(
    planned: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = keys(planned, "init")[0], keys(planned, "score")[0]
    with Lines(planned.plan, [first, second]) as show:
        show(Outcome(key=first, status=Status.REUSED))
        show(Outcome(key=second, status=Status.DONE))
    assert capsys.readouterr().err.startswith("[2/2] done: ")


def test_quiet_shows_failures_only(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    key = keys(planned, "init")[0]
    with Silent() as show:
        show(Outcome(key=key, status=Status.DONE))
        show(Outcome(key=key, status=Status.FAILED, reason="no answer"))
    assert capsys.readouterr().err == "failed: no answer\n"


def test_the_display_suits_where_it_goes(planned: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    todo = todo_of(planned, "retrain")
    assert isinstance(showing(True)(planned.plan, todo), Silent)
    assert isinstance(showing(False)(planned.plan, todo), Lines)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert isinstance(showing(False)(planned.plan, todo), Live)


def test_a_live_display_has_a_bar_per_training(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    key = keys(planned, "train")[0]
    other = keys(planned, "init")[0]
    with Live(planned.plan, [key, other]) as show:
        show(Progress(key=key, done=1, total=2))
        assert list(show.trainings) == [key]
        show(Progress(key=key, done=2, total=2))
        show(Outcome(key=key, status=Status.DONE))
        assert show.trainings == {}
        show(Outcome(key=key, status=Status.FAILED, reason="[bold]no answer"))
    err = capsys.readouterr().err
    assert "failed: train dense, seed 1, steps 0 to 2: [bold]no answer" in " ".join(err.split())
    assert "1 done, 1 failed in " in err


def test_the_workers_of_a_run_are_shown(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    key = keys(planned, "init")[0]
    with Lines(planned.plan, [key]) as lines:
        lines(WorkersChanged(label="2 workers on cpu"))
    with Silent() as silent:
        silent(WorkersChanged(label="3 workers on cpu"))
    assert capsys.readouterr().err == "2 workers on cpu\n"
    with Live(planned.plan, [key]) as live:
        assert isinstance(live, Live)
        live(WorkersChanged(label="2 workers: 2 on cpu of a"))
        assert live.bars.tasks[0].description == "steps, 2 workers: 2 on cpu of a"
