"""`report` through the command line: one chart, means or medians, and options that exclude each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli import TINY, Ran, prunectl, write_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny study with three seeds of one arm, run."""
    folder = tmp_path_factory.mktemp("report")
    text = TINY.replace("seeds = [1, 2]", "seeds = [1, 2, 3]").partition('\n[[prune]]\ncriterion = "snip"')[0]
    study = write_study(folder, text)
    ran = prunectl("run", study, store=folder / "store")
    assert ran.code == 0, ran.err
    return study


def report(study: Path, *arguments: str) -> Ran:
    return prunectl("report", study, *arguments, store=study.parent / "store")


def test_one_chart_is_written_under_its_name(study: Path) -> None:
    svg = report(study, "--format", "svg", "--chart", "top1-sparsity")
    assert svg.code == 0, svg.err
    picture = (study.parent / "results" / "tiny" / "top1-sparsity.svg").read_text()
    assert picture.startswith("<svg")
    assert "Top-1 accuracy against sparsity" in picture
    assert "Time by kind of step" not in picture
    png = report(study, "--format", "png", "--chart", "time", "--output", "t.png")
    assert png.code == 0, png.err
    assert (study.parent / "t.png").read_bytes().startswith(b"\x89PNG")


def test_an_unknown_chart_is_answered_with_the_names_of_all(study: Path) -> None:
    ran = report(study, "--format", "svg", "--chart", "top1-sparcity")
    assert ran.code == 2
    assert "no chart 'top1-sparcity'; there are top1-sparsity, top1-compression" in re.sub(r"\s+", " ", ran.err)
    assert "did you mean top1-sparsity?" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--chart", "time"], "--chart is for pictures, not for html"),
        (["--chart", "time", "--format", "csv"], "--chart is for pictures, not for csv"),
        (["--center", "median", "--format", "csv"], "csv holds every trial"),
        (["--center", "medain"], "did you mean median?"),
        (["--format", "svgg"], "did you mean svg?"),
    ],
)
def test_options_that_exclude_each_other_are_refused(study: Path, arguments: list[str], message: str) -> None:
    ran = report(study, *arguments)
    assert ran.code == 2
    assert message in re.sub(r"\s+", " ", ran.err)
    assert ran.out == ""


@pytest.mark.parametrize("format", ["md", "latex", "html"])
def test_means_and_medians_name_themselves(study: Path, format: str) -> None:
    texts = {center: report(study, "--center", center, "--format", format, "--output", "-").out
             for center in ("mean", "median")}  # fmt: skip
    for center, other in (("mean", "median"), ("median", "mean")):
        assert f"bootstrap interval of the {center}" in texts[center]
        assert f"bootstrap interval of the {other}" not in texts[center]


def test_energy_is_measured_or_reported_as_not_measured(study: Path) -> None:
    text = report(study, "--format", "md", "--output", "-").out
    assert ("Energy was not measured on the machine that made the steps" in text) != ("by the counters of the" in text)
