"""Where steps run: devices, executors, the number of processes."""

from __future__ import annotations

import os

import pytest

from in_process import InProcess
from prunectl.api import machine
from prunectl.api.machine import Machine, default_jobs, executor_of, settled
from prunectl.base.errors import PrunectlError, StudyError
from prunectl.execute.local import Local


def test_an_executor_is_a_name_a_table_or_itself() -> None:
    assert executor_of("local") == Local()
    assert executor_of('{ name = "local" }') == Local()
    mine = InProcess()
    assert executor_of(mine) is mine


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("locl", 'did you mean "local"?'),
        ('{ name = "local", nodes = 4 }', "nodes"),
        ("{ nodes = 4 }", "name"),
    ],
)
def test_an_executor_that_cannot_be_used_is_an_error_that_names_the_place(asked: str, expected: str) -> None:
    with pytest.raises(StudyError, match="--executor") as raised:
        executor_of(asked)
    told = [f"{problem.key} {problem.message} {problem.hint}" for problem in raised.value.problems]
    assert any(expected in text for text in told), told
    assert raised.value.exit_code == 2


def test_a_table_that_is_not_toml_is_an_error_with_an_example() -> None:
    with pytest.raises(PrunectlError, match="not a TOML table") as raised:
        executor_of("{ name = local")
    assert raised.value.hint is not None and '{ name = "local" }' in raised.value.hint


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 16)
    assert (default_jobs("cpu"), default_jobs("cuda")) == (16, 1)
    workers = settled(Machine(device="cpu", jobs=4, threads=1, executor=InProcess()))
    assert (workers.device, workers.jobs, workers.readers) == ("cpu", 4, 3)
    assert settled(Machine(device="cpu", executor=InProcess())).readers == 0
    assert settled(Machine(device="cpu", jobs=1, executor=InProcess())).readers == machine.MOST_READERS


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with three GPUs, as far as torch is asked."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)


@pytest.mark.usefixtures("gpus")
def test_jobs_are_for_each_device() -> None:
    workers = settled(Machine(device="cuda:0,2", jobs=2, executor=InProcess()))
    assert (workers.jobs, workers.device, workers.label) == (4, "cuda:0", "4 workers on cuda:0 and cuda:2")
    assert settled(Machine(device="cuda", executor=InProcess())).jobs == 3


def test_a_job_uses_the_cores_that_slurm_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    for given, expected in (("", 64), ("4", 4), ("128", 64), ("0", 1)):
        monkeypatch.setenv("SLURM_CPUS_PER_TASK", given)
        monkeypatch.setenv("SLURM_CPUS_ON_NODE", "")
        assert machine.cores() == expected
