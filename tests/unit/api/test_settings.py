"""A user's settings: what they decide, what comes before them, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import write_study
from in_process import InProcess
from prunectl.api import machine
from prunectl.api.machine import Machine, executor_of, likely_workers, settled
from prunectl.api.session import data_root, open_store, open_study
from prunectl.api.settings import settings, settings_file
from prunectl.base.errors import StudyError
from prunectl.execute.local import Local
from prunectl.execute.slurm import Slurm
from prunectl.study.settings import Settings
from small import SMALL


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of settings, which does not exist yet."""
    for name in ("PRUNECTL_STORE", "PRUNECTL_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRUNECTL_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path / "config.toml"


def test_the_file_is_in_the_users_configuration_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PRUNECTL_CONFIG")
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / name))
    assert settings_file() == tmp_path / "prunectl" / "config.toml"
    assert settings() == Settings()


def test_a_file_that_was_named_must_exist(file: Path) -> None:
    with pytest.raises(StudyError, match=r"config\.toml does not exist"):
        settings()


def test_store_and_data_are_asked_for_else_of_the_environment_else_of_the_settings(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('store = "mine"\ndata = "~/images"\n')
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert open_store().root == tmp_path / "mine"  # from the file's own directory
    assert data_root(None, tmp_path / "study.toml", None) == tmp_path / "home" / "images"
    assert data_root("theirs", tmp_path / "study.toml", None) == tmp_path / "theirs"
    monkeypatch.setenv("PRUNECTL_STORE", str(tmp_path / "environment"))
    monkeypatch.setenv("PRUNECTL_DATA", "/environment")
    assert open_store().root == tmp_path / "environment"
    assert data_root(None, tmp_path / "study.toml", None) == Path("/environment")
    assert open_store(tmp_path / "asked").root == tmp_path / "asked"
    assert data_root(None, tmp_path / "study.toml", Path("/asked")) == Path("/asked")


def test_a_store_can_be_a_url(file: Path) -> None:
    file.write_text('store = "s3://studies/mine"')
    assert settings().store == "s3://studies/mine"


def test_jobs_and_executor_are_asked_for_else_of_the_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 16)
    file.write_text('jobs = 3\nexecutor = { name = "slurm", nodes = 4 }\n')
    assert executor_of(None) == Slurm(nodes=4)
    assert executor_of("local") == Local()
    assert settled(Machine(device="cpu", executor=InProcess())).jobs == 3
    assert settled(Machine(device="cpu", jobs=5, executor=InProcess())).jobs == 5
    assert likely_workers(Machine()) == "started by the executor slurm"
    file.write_text("[executor]\nname = 'local'\n")
    assert settled(Machine(device="cpu")).executor == Local()
    assert likely_workers(Machine(device="cpu")) == "16 workers on cpu"


def test_no_setting_changes_a_key(file: Path, tmp_path: Path) -> None:
    study = write_study(tmp_path, SMALL)
    file.write_text("")
    before = open_study(study, store=tmp_path / "store").plan
    file.write_text('store = "mine"\ndata = "d"\njobs = 7\nexecutor = "ray"\ntrack = "wandb"\n')
    assert open_study(study).plan == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('\n  stor = "x"', "{file}:2:3: stor: unknown key; allowed here: store, data, jobs, executor, track"),
        ("jobs = 0", "{file}:1:1: jobs: must be "),
        ("store = 7", "{file}:1:1: store: must be "),
        ('executor = "slrm"', "{file}:1:1: executor: there is no executor"),
        ("[executor]\nname = 'slurm'\nnode = 4", "{file}:3:1: executor.node: unknown key"),
        ('track = "wanbd"', "{file}:1:1: track: there is no tracker"),
        ("[track]\nname = 'wandb'\nprojekt = 'x'", "{file}:3:1: track.projekt: unknown key"),
        ("jobs = ", "{file}:1:8: "),
    ],
)
def test_what_is_wrong_is_named_with_its_place(file: Path, text: str, expected: str) -> None:
    file.write_text(text)
    with pytest.raises(StudyError) as raised:
        settings()
    assert expected.format(file=file) in str(raised.value), raised.value
    assert raised.value.exit_code == 2


def test_every_problem_is_reported_at_once(file: Path) -> None:
    file.write_text('jobs = -1\nexecuter = "ray"\ndata = []\n')
    with pytest.raises(StudyError, match="3 problems") as raised:
        open_store()
    assert [problem.key for problem in raised.value.problems] == ["jobs", "executer", "data"]
    assert 'did you mean "executor"?' in str(raised.value)
