"""Following workers that are runs themselves: the store is the truth, the cluster's answers are hints."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import ClassVar

import pytest

from cli import write_study
from prunectl.api.check import Checked
from prunectl.api.machine import Machine
from prunectl.api.make import make, todo_of
from prunectl.api.pulled import pull_of
from prunectl.api.session import Session, open_study
from prunectl.base.errors import InterruptError, StudyError
from prunectl.base.until import Until
from prunectl.catalog.executor import Executor, Pull, Seen
from prunectl.execute.outcome import Event, Outcome, Status
from small import HERE, SMALL


class Cluster:
    """Workers of the test: each look does what is next in a script; it ends with the workers gone."""

    label, cancelling = "job 1", "scancel 1"

    def __init__(self, *script: Callable[[], Seen | None], trouble: str = "") -> None:
        self.script, self.complaint = list(script), trouble
        self.ends: list[str] = []
        self.lines: list[str] = []

    def look(self) -> Seen | None:
        return self.script.pop(0)() if self.script else Seen(running=0, waiting=0)

    def going(self) -> list[str]:
        return self.lines

    def trouble(self) -> str:
        return self.complaint

    def cancel(self) -> None:
        self.ends.append("cancelled")

    def finish(self) -> None:
        self.ends.append("finished")


class Pulling(Executor):
    name = "pulling"
    summary = "of the test"
    pulls = True
    clusters: ClassVar[list[Cluster]] = []
    pulled: ClassVar[list[Pull]] = []

    def submit(self, pull: Pull) -> Cluster:
        self.pulled.append(pull)
        return self.clusters[-1]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunectl.api.pulled.LOOK_S", 0.0)
    monkeypatch.setattr("prunectl.api.pulled.IDLE", 0.0)
    monkeypatch.setattr("prunectl.api.make.check", lambda session: Checked(here=None))


@pytest.fixture
def lacking(own: Session) -> Session:
    """A session whose store lacks the last steps of two trials."""
    for trial in [trial for trial in own.plan.trials if trial.sparsity > 0][:2]:
        own.store.delete(trial.measure)
    return own


def run(session: Session, cluster: Cluster, *, until: Until | None = None) -> tuple[object, list[Outcome], list[str]]:
    Pulling.clusters.append(cluster)
    heard: list[Event] = []
    notes: list[str] = []
    machine = Machine(executor=Pulling(), until=until, device="cuda")
    tally = make(session, "retrain", machine, show=lambda plan, todo: nullcontext(heard.append), warn=notes.append)
    return tally, [event for event in heard if isinstance(event, Outcome)], notes


def worker(session: Session) -> Seen:
    """Does everything, as a worker would."""
    make(session, "retrain", HERE)
    return Seen(running=1, waiting=0)


def waiting() -> Seen:
    return Seen(running=0, waiting=1)


def silent() -> None:
    return None


def test_what_workers_do_is_read_from_the_store(lacking: Session) -> None:
    missing = set(todo_of(lacking, "retrain").todo)
    cluster = Cluster(waiting, waiting, silent, lambda: worker(lacking))
    tally, heard, notes = run(lacking, cluster)
    assert tally.done == missing and {event.key for event in heard} == missing  # type: ignore[attr-defined]
    assert {event.status for event in heard} == {Status.DONE} and all(event.wall_s > 0 for event in heard)
    assert cluster.ends == ["finished"]
    assert notes == [
        "submitted job 1; Ctrl-C, or `scancel 1`, cancels it, with snapshots left",
        "job 1: 0 workers at work, 1 waiting to be started",
    ]


def test_the_steps_that_go_on_are_named_as_workers_print_them(
    lacking: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prunectl.api.pulled.GOING_S", 0.0)
    cluster = Cluster(waiting, lambda: worker(lacking))
    cluster.lines = ["goes on: train snip, 90 %, seed 1: epoch 3.2 of 10, loss 0.412, top-1 91.2 % (4 min)"]
    _, _, notes = run(lacking, cluster)
    assert notes[-1] == cluster.lines[0]


def test_everything_is_there_although_the_cluster_lists_no_worker(lacking: Session) -> None:
    def gone() -> Seen:
        worker(lacking)
        return Seen(running=0, waiting=0)

    assert run(lacking, Cluster(gone))[0].done  # type: ignore[attr-defined]


@pytest.mark.parametrize(("trouble", "code"), [("", 130), ("no such data (1.err)", 1)])
def test_workers_that_end_too_early_leave_an_error_that_shows_how_to_continue(
    lacking: Session, trouble: str, code: int
) -> None:
    cluster = Cluster(waiting, trouble=trouble)
    with pytest.raises(InterruptError, match="job 1 has ended with 2 steps left") as raised:
        run(lacking, cluster)
    assert raised.value.exit_code == code and trouble in str(raised.value)
    assert "same command" in (raised.value.hint or "") and cluster.ends == []


def test_what_a_worker_fails_at_is_a_failure_of_this_run_and_an_old_one_is_not(lacking: Session) -> None:
    first, second = todo_of(lacking, "retrain").todo
    for key in (first, second):
        lacking.store.record_failure(key, "crash", "old", "")

    def fails() -> Seen:
        assert lacking.store.failure(first) is None
        lacking.store.record_failure(first, "crash", "out of memory", "")
        lacking.store.record_failure(second, "method", "no answer", "")
        return Seen(running=1, waiting=0)

    tally, heard, _ = run(lacking, Cluster(fails))
    assert tally.failed == {first: "out of memory", second: "no answer"}  # type: ignore[attr-defined]
    assert [event.status for event in heard] == [Status.FAILED] * 2


def test_ctrl_c_cancels_the_workers(lacking: Session) -> None:
    def interrupt() -> Seen:
        raise KeyboardInterrupt

    cluster = Cluster(waiting, interrupt)
    with pytest.raises(InterruptError, match="job 1 is cancelled") as raised:
        run(lacking, cluster)
    assert cluster.ends == ["cancelled"] and raised.value.exit_code == 130


def test_workers_that_do_not_keep_to_their_time_are_not_waited_for_for_ever(lacking: Session) -> None:
    with pytest.raises(InterruptError, match="2 steps left"):
        run(lacking, Cluster(*[waiting] * 5), until=Until(at=0.0, begin=0.0))


def test_a_mistake_is_found_before_anything_is_submitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(session: Session) -> None:
        raise StudyError("1 problem")

    monkeypatch.setattr("prunectl.api.make.check", wrong)
    before = len(Pulling.pulled)
    with pytest.raises(StudyError):
        run(open_study(write_study(tmp_path, SMALL), store=tmp_path / "store"), Cluster())
    assert len(Pulling.pulled) == before


def test_a_worker_gets_the_same_study_selection_and_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, SMALL)
    session = open_study("study.toml", only=["sparsity=0", "seed=1"], set=["train.epochs=2"], store="store", data="d")
    pull = pull_of(session, "prune", Machine(device="cuda:0,1", jobs=3, threads=2))
    assert " ".join(pull.arguments) == (
        f"prune {tmp_path}/study.toml --share --store {tmp_path}/store --data {tmp_path}/d --device cuda:0,1 "
        "--threads 2 --executor local --jobs 3 --set train.epochs=2 --only sparsity=0 --only seed=1"
    )
    assert pull.folder.parent == tmp_path / "store" / "jobs"
