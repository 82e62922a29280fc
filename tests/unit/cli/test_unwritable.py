"""A store that cannot be written: what only reads works, and the rest is one message before anything is computed."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults import failing
from prunectl.api.session import Session
from small import damage

Prunectl = Callable[..., Any]
READING = [
    ("cache", "ls"), ("cache", "verify"), ("plan", "study.toml"), ("report", "study.toml", "--format", "csv"),
    ("run", "study.toml", "-q"), ("train", "study.toml"), ("cache", "export", "all.tar"),
]  # fmt: skip


@pytest.fixture
def here(own: Session, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a store, in the folder of its study."""
    monkeypatch.setenv("PRUNECTL_STORE", str(own.store.root))
    return own.store.root


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_what_only_reads_works(
    command: tuple[str, ...], prunectl: Prunectl, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prunectl("new", "x")  # the fixture has changed the directory: change it again
    monkeypatch.chdir(here.parent)
    with failing(here, errno.EROFS, at=1, lasting=True):
        said = prunectl(*command)
    assert said.code == 0, said.err


def test_a_damaged_artefact_there_is_a_hole_in_the_table(
    prunectl: Prunectl, own: Session, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here.parent)
    key = damage(own, "metrics.json")
    with failing(here, errno.EROFS, at=1, lasting=True):
        said = prunectl("report", "study.toml", "--format", "csv", "-o", "-")
        assert said.code == 0
        assert said.out.count(",done") >= 2
        assert f"{key[:12]} is damaged: metrics.json is not what was written; it cannot be set aside" in said.err
        said = prunectl("cache", "verify")
        assert said.code == 4
        assert "it cannot be set aside (Read-only file system)" in said.out
        said = prunectl("cache", "show", key)
        assert said.code == 4
        assert said.err.startswith(f"error: artefact {key[:12]} is damaged")


@pytest.mark.parametrize(
    ("command", "number"),
    [
        (("run", "study.toml", "--set", "train.epochs=2"), errno.EROFS),
        (("run", "study.toml", "--set", "train.epochs=2"), errno.EACCES),
        (("train", "study.toml", "--set", "train.epochs=2"), errno.ENOSPC),
        (("cache", "gc", "--yes"), errno.EROFS),
        (("cache", "gc", "--yes"), errno.EIO),
        (("cache", "import", "all.tar"), errno.EDQUOT),
    ],
)
def test_what_has_to_write_is_one_message(
    command: tuple[str, ...], number: int, prunectl: Prunectl, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here.parent)
    prunectl("cache", "export", "all.tar")
    monkeypatch.setattr("prunectl.store.collect.HOUR_S", -1.0)  # nothing is too young to collect
    (here / "snapshots" / "ab" / ("ab" * 32)).mkdir(parents=True)
    with failing(here, number, at=1, lasting=True):
        said = prunectl(*command)
    assert said.code == 4
    message = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(message) == 1 and str(here) in message[0]
    assert "Traceback" not in said.err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize(
    "command",
    [
        ("report", "STUDY", "-o", "page.html"), ("report", "STUDY", "--watch", "-o", "page.html"),
        ("run", "STUDY", "-q", "-o", "out"), ("compare", "STUDY", "STUDY", "-o", "both.html"),
        ("cache", "export", "all.tar"), ("export", "STUDY", "--only", "sparsity=0.0,criterion=random", "-o", "network"),
        ("new", "mine"),
    ],
    ids=lambda command: " ".join(command[:2]),
)  # fmt: skip
def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(
    command: tuple[str, ...], number: int, prunectl: Prunectl, tmp_path: Path
) -> None:
    with failing(tmp_path, number, at=1, lasting=True):
        said = prunectl(*command)
    assert said.code == 1, said.err
    message = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(message) == 1 and "cannot be written" in message[0]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
