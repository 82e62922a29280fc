"""What may happen to a run: kill -9, Ctrl-C, company, a full or read-only store. Nothing may be lost or damaged."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import TINY, command, environment, prunectl, write_study

KILLS = int(os.environ.get("PRUNECTL_TEST_KILLS", "3"))


EVERYTHING = """
[[prune]]
criterion = "snip"
at = { epoch = 3 }
[[prune]]
criterion = "magnitude"
at = "end"
rounds = "iterative"
retrain = { name = "weight-rewind", to = { step = 5 } }
[[prune]]
criterion = "magnitude"
at = "end"
structure = "channels"
retrain = ["recalibrate", "lr-rewind"]
"""


def begin(*arguments: str | Path, store: Path) -> subprocess.Popen[str]:
    """A command in a session of its own, so that all of it can be killed at once."""
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(store),
        cwd=store.parent,
        start_new_session=True,
        preexec_fn=_hear,
    )


def _hear() -> None:
    """As from a terminal: a background shell or nohup hands on that signals are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def kill_all(process: subprocess.Popen[str]) -> None:
    """kill -9 to every process of the session at once: driver, nursery, workers."""
    for member in session_of(process.pid):
        try:
            os.kill(member, signal.SIGKILL)
        except ProcessLookupError:
            continue
    with contextlib.suppress(ValueError):  # its pipes were read already
        process.communicate()


def session_of(leader: int) -> list[int]:
    """Every process whose session is the leader's, the leader first."""
    found = [leader]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != leader:
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == leader:
                found.append(int(entry.name))
    return found


def trials(said: Any) -> list[dict[str, object]]:
    return [{k: v for k, v in row.items() if k not in ("train_s", "score_s")} for row in said["trials"]]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_kill_dash_nine_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """The final table is that of an undisturbed run to the last bit, and every artefact is sound."""
    study = write_study(tmp_path, TINY.replace("epochs = 2", "epochs = 12") + EVERYTHING)
    calm = prunectl("run", study, "--json", "--jobs", "2", store=tmp_path / "calm")
    assert calm.code == 0, calm.err
    store = tmp_path / "store"
    draws = random.Random(7)
    for _ in range(KILLS):
        process = begin("run", study, "--json", "--jobs", str(draws.choice([1, 2, 3])), store=store)
        try:
            process.communicate(timeout=draws.uniform(0.5, 9.0))
        except subprocess.TimeoutExpired:
            kill_all(process)
    last = prunectl("run", study, "--json", store=store)
    assert last.code == 0, last.err
    assert trials(last.json()) == trials(calm.json())
    assert prunectl("cache", "verify", store=store).code == 0


@contextlib.contextmanager
def training(study: Path, store: Path) -> Iterator[subprocess.Popen[str]]:
    """A command in the middle of two trainings that no machine finishes. Nothing of it is left behind."""
    process = begin("train", study, "--jobs", "2", store=store)
    try:
        assert process.stderr is not None
        for _ in range(2):
            while "init" not in process.stderr.readline():
                assert process.poll() is None
        wait_for_steps(2, process, store)
        yield process
    finally:
        kill_all(process)


def wait_for_steps(count: int, process: subprocess.Popen[str], store: Path) -> None:
    """Wait until this many steps are being made at once: each writes into a directory in scratch/."""
    while sum(place.is_dir() for place in (store / "scratch").iterdir()) < count:
        assert process.poll() is None
        time.sleep(0.05)


def gone(leader: int) -> bool:
    """Whether every process of a session has ended, after a while."""
    deadline = time.monotonic() + 40
    while (alive := session_of(leader)[1:]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not alive


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_says_how_to_go_on_and_leaves_a_snapshot(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C; a cluster or service manager that ends a job; a terminal that is closed. All processes get it at once."""
    study = write_study(tmp_path, TINY.replace("epochs = 2", "epochs = 100_000"))
    store = tmp_path / "store"
    with training(study, store) as process:
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "same command" in err
        assert "Traceback" not in err
        assert gone(process.pid)
    assert list(store.glob("snapshots/*/*/progress.json"))
    assert not list(store.glob("failures/*/*"))
    again = prunectl("plan", study, store=store)
    assert "goes on from its snapshot" in again.out


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_a_driver_that_is_killed_leaves_snapshots_and_no_failures(tmp_path: Path) -> None:
    study = write_study(tmp_path, TINY.replace("epochs = 2", "epochs = 100_000"))
    store = tmp_path / "store"
    with training(study, store) as process:
        process.kill()
        process.communicate(timeout=60)
        assert gone(process.pid)
    assert list(store.glob("snapshots/*/*/progress.json"))
    assert not list(store.glob("failures/*/*"))


def test_nohup_is_respected() -> None:
    """SIGHUP stays ignored where it was when prunectl began."""
    code = (
        "import signal; from prunectl.cli import app; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "app.listen(); print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "True\n"


def test_two_runs_at_once_share_the_work(tmp_path: Path) -> None:
    study = write_study(tmp_path, TINY.replace("epochs = 2", "epochs = 8"))
    store = tmp_path / "store"
    runs = [begin("run", study, "--json", "--jobs", "2", "-o", tmp_path / name, store=store) for name in ("a", "b")]
    said = [run.communicate(timeout=200) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    import json

    documents = [json.loads(out) for out, _ in said]
    assert trials(documents[0]) == trials(documents[1])
    made = sum(document["steps"]["done"] for document in documents)
    assert made == len(list(store.glob("objects/*/*/manifest.json")))  # nothing was made twice


def test_a_worker_that_is_killed_costs_its_step_and_nothing_else(tmp_path: Path) -> None:
    """The step is tried once more in a fresh worker."""
    short = TINY.partition("[sweep]")[0].replace("epochs = 2", "epochs = 200")
    arm = '[[prune]]\ncriterion = "snip"\nablation = "shuffle"\n'
    study = write_study(tmp_path, short + "[sweep]\nsparsities = [0.0, 0.9]\n" + arm)
    store = tmp_path / "store"
    process = begin("run", study, "--jobs", "1", store=store)
    assert process.stderr is not None
    while "shuffle" not in (line := process.stderr.readline()):
        assert line
    wait_for_steps(1, process, store)
    os.kill(max(session_of(process.pid)), signal.SIGKILL)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "its worker was killed by signal 9, SIGKILL (out of memory?)" in err
    assert "tried once more" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_store_says_so(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir(mode=0o500)
    said = prunectl("run", write_study(tmp_path), store=store)
    assert said.code == 4
    assert "cannot be written" in said.err


def test_a_store_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "thesis.tex").write_text("mine")
    said = prunectl("run", write_study(tmp_path), store=store)
    assert said.code == 4
    assert "not a store" in said.err
    assert [path.name for path in store.iterdir()] == ["thesis.tex"]


@pytest.mark.skipif(not Path("/dev/full").exists() or os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_ends_the_run_and_keeps_what_is_done(tmp_path: Path) -> None:
    store = tmp_path / "disk"
    store.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", store], check=False).returncode:
        pytest.skip("no right to mount")
    try:
        said = prunectl("run", write_study(tmp_path), store=store)
        assert said.code == 4, said.err
        assert "is full" in said.err
        assert "Traceback" not in said.err
        subprocess.run(["mount", "-o", "remount,size=64m", store], check=True)
        assert prunectl("cache", "verify", store=store).code == 0
        assert prunectl("run", write_study(tmp_path), store=store).code == 0
    finally:
        subprocess.run(["umount", "-l", store], check=False)


def test_a_failure_is_an_outcome_with_its_reason(tmp_path: Path) -> None:
    """A method with no answer fails its trials, says why, and is not tried again; the rest is done."""
    study = write_study(tmp_path, TINY + '[[prune]]\ncriterion = { name = "snip", samples_per_class = 900 }\n')
    store = tmp_path / "store"
    said = prunectl("run", study, "--json", store=store)
    assert said.code == 1
    rows = said.json()["trials"]
    failed = [row for row in rows if row["status"] == "failed"]
    assert len(failed) == 4
    assert all("images a class" in str(row["reason"]) for row in failed)
    assert sum(row["status"] == "done" for row in rows) == len(rows) - 4
    again = prunectl("run", study, "--json", store=store)
    assert (again.code, again.json()["steps"]["done"]) == (1, 0)
