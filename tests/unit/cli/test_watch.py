"""`prunectl report --watch`: pages while a run goes on, and a page that stops reloading at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prunectl.api.run import Completed
from prunectl.api.session import Session
from prunectl.base.errors import PrunectlError
from prunectl.cli.watch import follow, write

RELOADS = 'http-equiv="refresh" content="2"'


def unfinished(completed: Completed) -> Any:
    """The same results with one trial missing."""
    results = completed.results
    statuses = pl.Series("status", ["missing", *results.trials["status"].to_list()[1:]])
    return type(results)(**{**vars(results), "trials": results.trials.with_columns(statuses)})


def test_the_page_reloads_until_the_study_is_finished(
    session: Session, completed: tuple[Path, Completed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = tmp_path / "page.html"
    pages: list[str] = []
    shown: list[str] = []

    def results(session: Session, every_s: float, **options: Any) -> Iterator[Any]:
        yield unfinished(completed[1])
        pages.append(file.read_text())
        yield completed[1].results
        pages.append(file.read_text())

    monkeypatch.setattr("prunectl.api.follow.follow", results)
    monkeypatch.setattr("typer.launch", shown.append)
    follow(session, file, 0.5, True, "mean")
    assert [RELOADS in page for page in pages] == [True, False]
    assert shown == [str(file)]
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("3 of 4 trials done: " + str(file)) and said[1].endswith("4 of 4 trials done: " + str(file))


def test_ctrl_c_leaves_a_page_that_does_not_reload(
    session: Session, completed: tuple[Path, Completed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = tmp_path / "page.html"

    def results(session: Session, every_s: float, **options: Any) -> Iterator[Any]:
        yield unfinished(completed[1])
        raise KeyboardInterrupt

    monkeypatch.setattr("prunectl.api.follow.follow", results)
    follow(session, file, 0.5, False, "mean")
    assert RELOADS not in file.read_text()
    assert capsys.readouterr().err.endswith("Stopped watching. Run the same command to continue.\n")


def test_failures_are_counted(completed: tuple[Path, Completed], tmp_path: Path, capsys: Any) -> None:
    results = completed[1].results
    statuses = pl.Series("status", ["failed", *results.trials["status"].to_list()[1:]])
    failed = type(results)(**{**vars(results), "trials": results.trials.with_columns(statuses)})
    write(failed, tmp_path / "page.html", 0, "mean")
    assert "3 of 4 trials done, 1 failed: " in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_named(completed: tuple[Path, Completed], tmp_path: Path) -> None:
    with pytest.raises(PrunectlError, match="cannot be written"):
        write(completed[1].results, tmp_path / "no" / "page.html", 0, "mean")
