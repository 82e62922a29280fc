"""What is shown while steps are done."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from prunectl.api.make import todo_of
from prunectl.api.session import Session, open_study
from prunectl.base.text import seconds
from prunectl.catalog.hook import Shown
from prunectl.cli.progress import Count, Left, Lines, Live, Silent, showing
from prunectl.execute.outcome import Going, Outcome, Progress, Status, WorkersChanged
from prunectl.plan.steps import Key


@pytest.fixture
def planned(session: Session, tmp_path: Any) -> Session:
    """The same study with an empty store."""
    arms = ['prune[0].criterion=["magnitude", { name = "snip" }, "synflow"]', 'prune[0].ablation=["none", "invert"]']
    return open_study(session.path, set=arms, store=tmp_path / "store")


def keys(session: Session, kind: str) -> list[Key]:
    return [key for key, step in session.plan.steps.items() if step.kind == kind]


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
    assert lines[0] == "[1/3] done: init for 6 arms, seed 1 (250 ms)"
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
    key, pruned = keys(planned, "init")[0], keys(planned, "prune")[0]
    with Silent(planned.plan) as show:
        show(Outcome(key=key, status=Status.DONE))
        show(Outcome(key=key, status=Status.FAILED, reason="no answer"))
        show(Outcome(key=pruned, status=Status.FAILED, reason="no answer"))
    first, second = capsys.readouterr().err.splitlines()
    assert first == "failed: init for 6 arms, seed 1: no answer"
    assert second.startswith("failed: prune magnitude") and second.endswith("seed 1: no answer")


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
        assert list(show.running) == [key]
        show(Progress(key=key, done=2, total=2))
        show(Outcome(key=key, status=Status.DONE))
        assert show.running == {}
        show(Outcome(key=key, status=Status.FAILED, reason="[bold]no answer"))
    err = capsys.readouterr().err
    assert "failed: train dense, seed 1: [bold]no answer" in " ".join(err.split())
    assert "1 done, 1 failed in " in err


def test_the_workers_of_a_run_are_shown(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    key = keys(planned, "init")[0]
    with Lines(planned.plan, [key]) as lines:
        lines(WorkersChanged(label="2 workers on cpu"))
    with Silent(planned.plan) as silent:
        silent(WorkersChanged(label="3 workers on cpu"))
    assert capsys.readouterr().err == "2 workers on cpu\n"
    with Live(planned.plan, [key]) as live:
        assert isinstance(live, Live)
        live(WorkersChanged(label="2 workers: 2 on cpu of a"))
        assert live.bars.tasks[0].description == "steps, 2 workers: 2 on cpu of a"


SHOWN = Shown(epoch=0.5, epochs=1.0, loss=0.4123, top1=0.912)


def test_a_step_that_goes_on_has_a_line_every_half_minute(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one that reports no progress; the clock is the test's."""
    now = [0.0]
    trained = next(trial.state for trial in planned.plan.trials if trial.mask)
    score, init = keys(planned, "score")[0], keys(planned, "init")[0]
    with Lines(planned.plan, [trained, score, init], clock=lambda: now[0]) as show:
        show(Going(keys=(trained, score)))
        show(Progress(key=trained, done=1, total=2, shown=SHOWN))
        for now[0] in (10.0, 29.0, 31.0, 45.0):
            show(Going(keys=(trained, score)))
        now[0] = 50.0
        show(Outcome(key=init, status=Status.DONE, wall_s=0.1))
        for now[0] in (70.0, 81.0):
            show(Going(keys=(score,)))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "[0/3] goes on: train magnitude · at init, 50 %, seed 1: epoch 0.5 of 1, loss 0.412, top-1 91.2 % (31.0 s)"
    )
    assert lines[1].startswith("[0/3] goes on: score ") and lines[1].endswith(", seed 1 (31.0 s)")
    assert [line[:13] for line in lines[2:]] == ["[1/3] done: i", "[1/3] goes on"]


def test_many_steps_that_go_on_are_counted(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    several = tuple(planned.plan.steps)[:6]
    with Lines(planned.plan, several, clock=lambda: now[0]) as show:
        now[0] = 31.0
        show(Going(keys=several))
        show(Going(keys=()))
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (5, "[0/6] and 2 more steps")


def test_steps_that_rest_on_one_failure_have_one_line(planned: Session, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = list(planned.plan.steps)[:5]
    with Lines(planned.plan, planned.plan.steps) as show:
        show(Outcome(key=first, status=Status.FAILED, reason="no answer"))
        for key in others:
            show(Outcome(key=key, status=Status.SKIPPED, reason="no answer"))
    lines = capsys.readouterr().err.splitlines()
    total = len(planned.plan.steps)
    assert lines[0].startswith(f"[1/{total}] failed: ")
    assert lines[1:] == [f"[5/{total}] skipped: 4 steps that rest on it: no answer"]


def test_the_time_left_follows_from_steps_of_each_kind(planned: Session) -> None:
    trainings, init = keys(planned, "train"), keys(planned, "init")[0]
    left = Left(planned.plan, Count([*trainings, init]))
    assert str(left) == ""
    for key, wall_s in ((trainings[0], 4000.0), (init, 1.0)):
        done = Outcome(key=key, status=Status.DONE, wall_s=wall_s)
        left.count.add(done)
        left.add(done)
    rest = 4000.0 * (len(trainings) - 1)
    assert str(left) == f"{seconds(rest)} left"
    left.jobs = 2
    assert str(left) == f"{seconds(rest / 2)} left"
    left.jobs = 1
    left.under_way(Progress(key=trainings[1], done=3, total=4))
    assert str(left) == f"{seconds(rest - 3000)} left", "what a training has done already is not left"
    lost = Outcome(key=trainings[1], status=Status.LOST)
    left.add(lost)
    assert str(left) == f"{seconds(rest)} left"


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(planned: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    todo = todo_of(planned, "retrain")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(showing(False)(planned.plan, todo), Lines)


def test_a_live_display_names_arm_sparsity_seed_epoch_loss_and_accuracy(planned: Session) -> None:
    trained = next(trial.state for trial in planned.plan.trials if trial.mask)
    score = keys(planned, "score")[0]
    with Live(planned.plan, [trained, score]) as live:
        assert isinstance(live, Live)
        live(Going(keys=(trained, score)))
        live(Progress(key=trained, done=1, total=2, shown=SHOWN))
        tasks = {task.description: task for task in live.bars.tasks}
        training = tasks["  train magnitude · at init, 50 %, seed 1"]
        assert training.fields["state"] == "epoch 0.5 of 1, loss 0.412, top-1 91.2 %"
        assert (training.completed, training.total) == (1, 2)
        assert len(tasks) == 3
        live(Outcome(key=score, status=Status.DONE, wall_s=1.0))
        assert live.bars.tasks[0].fields["state"] == "1/2"
