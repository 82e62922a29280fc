"""`prunectl report`: where each format goes, and options that do not go together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Prunectl = Callable[..., Any]


@pytest.mark.parametrize(("format_", "file"), [("html", "small.html"), ("csv", "small.csv"), ("latex", "small.tex")])
def test_a_report_is_written_under_the_studys_name(format_: str, file: str, prunectl: Prunectl, tmp_path: Path) -> None:
    said = prunectl("report", "STUDY", "--format", format_)
    assert (said.code, said.err) == (0, f"wrote {file}\n")
    assert (tmp_path / file).stat().st_size > 100


def test_a_hyphen_is_stdout(prunectl: Prunectl, tmp_path: Path) -> None:
    said = prunectl("report", "STUDY", "--format", "csv", "--output", "-")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("study,arm,")
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_study_says_so(prunectl: Prunectl) -> None:
    assert "small is not finished" in prunectl("report", "STUDY", "--set", "train.epochs=2").err


def test_open_shows_what_was_written(prunectl: Prunectl, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("typer.launch", shown.append)
    assert prunectl("report", "STUDY", "--open").code == 0
    assert shown == ["small.html"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["STUDY", "--format", "svgg"], "did you mean svg?"),
        (["STUDY", "--center", "medain"], "did you mean median?"),
        (["STUDY", "--chart", "time"], "--chart is for pictures, not for html"),
        (["STUDY", "--center", "median", "--format", "csv"], "csv holds every trial"),
        (["STUDY", "STUDY", "-o", "x.html"], "--output takes one study"),
        (["STUDY", "--watch", "--format", "csv"], "--watch writes the page of one study"),
        (["STUDY", "-o", "no/such/place.html"], "cannot be written"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: list[str], expected: str, prunectl: Prunectl) -> None:
    said = prunectl("report", *arguments)
    assert said.code == 2
    assert expected in said.err


def test_watching_a_finished_study_writes_its_page_once(prunectl: Prunectl, tmp_path: Path) -> None:
    said = prunectl("report", "STUDY", "--watch")
    assert said.code == 0
    assert said.err.endswith("4 of 4 trials done: small.html\n")
    assert 'http-equiv="refresh"' not in (tmp_path / "small.html").read_text()
