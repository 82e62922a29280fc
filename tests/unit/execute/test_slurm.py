"""The executor slurm, without SLURM: its parameters, what it submits, what SLURM answers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from prunectl.api.machine import executor_of
from prunectl.base.errors import PrunectlError, StudyError
from prunectl.base.until import Until, until
from prunectl.catalog.executor import Pull, Seen
from prunectl.catalog.faults import lacking
from prunectl.execute import pull as pulling
from prunectl.execute import slurm
from prunectl.execute.engine import Executor
from prunectl.execute.pull import Here, limited, work
from prunectl.execute.slurm import Slurm, Submitted


def test_its_parameters_are_those_of_sbatch() -> None:
    entry = executor_of('{ name = "slurm", partition = "gpu", nodes = 4, gpus = 1, time = "90m", setup = ["true"] }')
    assert isinstance(entry, Slurm) and entry.pulls and not lacking(Slurm, Executor)
    chosen = entry._parameters_of("slurm")
    assert (chosen["slurm_partition"], chosen["slurm_gpus_per_node"]) == ("gpu", 1)
    assert chosen["slurm_setup"][1:] == ["true"] and chosen["slurm_setup"][0].startswith("export PYTHONPATH=")
    assert all(path in chosen["slurm_setup"][0] for path in sys.path)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('{ name = "slurm", time = "4:00:00" }', "must be a duration"),
        ('{ name = "slurm", time = "1m" }', "at least 2m"),
        ('{ name = "slurm", nodes = 0 }', "nodes"),
        ('{ name = "slurm", partitoin = "gpu" }', 'did you mean "partition"?'),
        ('{ name = "slum" }', 'did you mean "slurm"?'),
    ],
)
def test_wrong_parameters_are_refused(table: str, expected: str) -> None:
    with pytest.raises(StudyError) as raised:
        executor_of(table)
    assert expected in str(raised.value)


def test_a_machine_without_slurm_is_an_error_that_shows_how_to_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(PrunectlError, match="no command srun") as raised:
        Slurm().submit(Pull(arguments=(), folder=tmp_path / "jobs"))
    assert 'cluster = "local"' in (raised.value.hint or "")


def test_workers_that_are_started_here_have_no_stream_of_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    with slurm._streams_apart():
        subprocess.run(["sh", "-c", "echo out; echo err >&2"], check=True)
    os.write(1, b"afterwards")
    os.write(2, b"as before")
    assert capfd.readouterr() == ("afterwards", "as before")


def test_without_submitit_it_shows_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(PrunectlError, match="submitit") as raised:
        Slurm().submit(Pull(arguments=(), folder=tmp_path / "jobs"))
    assert raised.value.hint == "pip install 'prunectl[slurm]'"


def test_what_slurm_refuses_is_shown_in_its_words() -> None:
    error = RuntimeError("Command failed\nsbatch: error: invalid partition specified: gpuu\nsbatch: error: Batch job")
    refused = Slurm(cluster="local")._refused(error)
    assert refused.message == "SLURM refuses the workers: invalid partition specified: gpuu"
    assert refused.exit_code == 1


def test_what_goes_on_is_the_last_line_of_each_worker(tmp_path: Path) -> None:
    goes_on = "[3/9] goes on: train dense, seed 1: epoch 2.5 of 10, loss 0.3, top-1 91.0 % (2 min)"
    assert submitted(tmp_path, f"1 worker on cpu\n[2/9] done: init (1 ms)\n{goes_on}\n").going() == [goes_on[6:]]
    assert submitted(tmp_path, f"{goes_on}\n[4/9] done: train dense, seed 1 (3 min)\n").going() == []
    assert submitted(tmp_path).going() == []


def submitted(tmp_path: Path, stderr: str = "", code: int | None = None) -> Submitted:
    if code is not None:
        (tmp_path / "result").touch()
    paths = SimpleNamespace(stderr="12_0.err", result_pickle=tmp_path / "result")
    job: Any = SimpleNamespace(job_id="12_0", stderr=lambda: stderr, paths=paths, result=lambda: code)
    return Submitted([job], tmp_path)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ((0, "RUNNING\nPENDING\nPENDING\n", ""), Seen(running=1, waiting=2)),
        ((0, "COMPLETING\n", ""), Seen(running=1, waiting=0)),
        ((0, "", ""), Seen(running=0, waiting=0)),
        ((1, "", "slurm_load_jobs error: Invalid job id specified"), Seen(running=0, waiting=0)),
        ((1, "", "slurm_load_jobs error: Unable to contact slurm controller"), None),
        (None, None),
    ],
)
def test_workers_live_that_squeue_lists(
    answer: tuple[int, str, str] | None, seen: Seen | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*command: str) -> subprocess.CompletedProcess[str]:
        if answer is None:
            raise FileNotFoundError(command[0])
        return subprocess.CompletedProcess(command, *answer)

    monkeypatch.setattr(slurm, "_asked", asked)
    assert submitted(tmp_path).look() == seen


def test_the_error_of_a_worker_is_shown_with_its_log(tmp_path: Path) -> None:
    pool = submitted(tmp_path, "submitit INFO\nerror: the store /s cannot be written\n  make room\n")
    assert pool.trouble() == "the store /s cannot be written (12_0.err)"
    assert submitted(tmp_path).trouble() == ""


def test_a_worker_that_was_stopped_is_no_trouble(tmp_path: Path) -> None:
    assert (
        submitted(tmp_path, "error: interrupted; finished steps are kept\nslurmstepd-a: error: killed\n").trouble()
        == ""
    )
    assert submitted(tmp_path, "error: stopped because of --until\n", code=130).trouble() == ""
    assert submitted(tmp_path, "error: x\n", code=2).trouble() == "x (12_0.err)"


NOW = 1_000_000.0


def here(folder: Path, code: str = "") -> Here:
    return Here(limit_s=7200.0, folder=folder, umask=0o027, command=(sys.executable, "-c", code))


def test_a_worker_has_stopped_before_its_job_ends_and_before_the_run_has_to(tmp_path: Path) -> None:
    pull = Pull(arguments=("retrain", "x.toml"), folder=tmp_path)
    arguments = limited(pull, here(tmp_path), NOW)
    assert arguments is not None and arguments[:3] == ("retrain", "x.toml", "--until")
    assert NOW + 7200 - 60 < until(arguments[3], NOW).at < NOW + 7200
    early = Pull(arguments=(), folder=tmp_path, until=Until.after(NOW, NOW + 60))
    arguments = limited(early, here(tmp_path), NOW)
    assert arguments is not None and until(arguments[1], NOW).at == NOW + 60
    assert limited(early, here(tmp_path), NOW + 59) is None  # requeued too late


def test_a_worker_has_the_folder_and_umask_of_who_submits_and_is_stopped_by_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []

    class Process:
        def __init__(self, command: list[str]) -> None:
            umask = os.umask(0)
            os.umask(umask)
            ignored = signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN
            started.append({"folder": Path.cwd(), "umask": umask, "ignored": ignored, "command": command})
            self.got: list[int] = []

        def send_signal(self, number: int) -> None:
            self.got.append(number)

        def wait(self) -> int:
            for number in (signal.SIGUSR2, signal.SIGTERM):
                os.kill(os.getpid(), number)
            assert self.got == [signal.SIGTERM] * 2
            return 130

    monkeypatch.setattr(subprocess, "Popen", Process)
    before = {number: signal.getsignal(number) for number in pulling.ENDING}
    folder, umask = Path.cwd(), os.umask(0o022)
    try:
        assert work(Pull(arguments=("retrain",), folder=tmp_path), here(tmp_path, "code")) == 130
    finally:
        os.chdir(folder)
        os.umask(umask)
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
    assert [(one["folder"], one["umask"], one["ignored"]) for one in started] == [(tmp_path, 0o027, True)]
    assert started[0]["command"][:4] == [sys.executable, "-c", "code", "retrain"]
