"""`prunectl report`: where each format goes, and options that do not go together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli import write_study
from prunectl.api.session import Session
from small import SMALL

Prunectl = Callable[..., Any]


@pytest.mark.parametrize(("format_", "file"), [("html", "report.html"), ("csv", "table.csv"), ("latex", "report.tex")])
def test_a_report_is_written_under_the_studys_name(format_: str, file: str, prunectl: Prunectl, tmp_path: Path) -> None:
    said = prunectl("report", "STUDY", "--format", format_)
    assert (said.code, said.err) == (0, f"wrote results/small/{file}\n")
    assert (tmp_path / "results" / "small" / file).stat().st_size > 100


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
    assert shown == ["results/small/report.html"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["STUDY", "--format", "svgg"], "did you mean svg?"),
        (["STUDY", "--center", "medain"], "did you mean median?"),
        (["STUDY", "--chart", "time"], "--chart is for pictures, not for html"),
        (["STUDY", "--center", "median", "--format", "csv"], "csv holds every trial"),
        (["STUDY", "STUDY", "--format", "md", "-o", "x.tex"], "--output takes one study"),
        (["STUDY", "--curves"], "--curves is a table, not html"),
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
    assert said.err.endswith("4 of 4 trials done: results/small/report.html\n")
    assert 'http-equiv="refresh"' not in (tmp_path / "results/small/report.html").read_text()


def test_files_are_named_after_the_selection(prunectl: Prunectl, tmp_path: Path) -> None:
    prunectl("report", "STUDY")
    said = prunectl("report", "STUDY", "--only", "sparsity=0.5", "--format", "csv")
    assert said.err == "wrote results/small+sparsity=0.5/table.csv\n"
    assert prunectl("report", "STUDY", "--only", "sparsity=0.5", "--watch").err.endswith(
        ": results/small+sparsity=0.5/report.html\n"
    )
    assert (tmp_path / "results/small/report.html").exists()


def test_two_studies_of_one_name_have_two_files(prunectl: Prunectl, own: Session) -> None:
    wrote = [line for line in prunectl("report", "STUDY", own.path, "-f", "csv").err.splitlines() if "wrote" in line]
    assert wrote == ["wrote results/small/table.csv", "wrote results/small-2/table.csv"]


def test_a_report_is_where_run_writes_it(prunectl: Prunectl, tmp_path: Path) -> None:
    assert prunectl("run", "STUDY").err.endswith("wrote results/small/table.csv, results/small/report.html\n")
    assert prunectl("report", "STUDY").err == "wrote results/small/report.html\n"
    assert sorted(path.name for path in (tmp_path / "results" / "small").iterdir()) == [
        "report.html", "run.json", "table.csv",
    ]  # fmt: skip


def test_the_report_of_another_study_is_named_after_the_folder_of_its_results(prunectl: Prunectl, own: Session) -> None:
    prunectl("run", "STUDY", "-q")
    prunectl("run", own.path, "-q", "--store", own.store.root)
    assert prunectl("report", "STUDY").err == "wrote results/small/report.html\n"
    assert prunectl("report", own.path).err.endswith("wrote results/small-2/report.html\n")


def test_without_a_study_it_is_the_last_run_in_this_directory(
    prunectl: Prunectl, own: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own.path.parent)
    where = ["--store", own.store.root]
    prunectl("run", "study.toml", "--only", "criterion=random", *where)
    said = prunectl("report", "--format", "html", *where)
    assert (said.code, said.err.splitlines()) == (
        0,
        [
            "the last run in this directory: study.toml --only criterion=random",
            "wrote results/small+criterion=random/report.html",
        ],
    )
    prunectl("run", "study.toml", *where)
    assert "wrote results/small/report.html" in prunectl("report", *where).err
    own.path.unlink()
    said = prunectl("report", *where)
    assert said.code == 2 and "was of study.toml, which is gone" in said.err


def test_where_nothing_was_run_the_studies_at_hand_are_listed(prunectl: Prunectl, tmp_path: Path) -> None:
    write_study(tmp_path, SMALL, "mine.toml")
    said = prunectl("report", "--store", "empty")
    assert said.code == 2
    assert said.err.startswith(
        "error: no study is named, and no run in this directory is recorded in the store empty\n"
    )
    assert "mine.toml" in said.err


def test_a_selection_without_a_study_is_refused(prunectl: Prunectl) -> None:
    said = prunectl("report", "--only", "sparsity=0")
    assert said.code == 2 and "--only, --set and --profile need one" in said.err
