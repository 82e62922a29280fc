"""Offering a data set that a run needs and that is missing."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from cli import write_study
from prunectl.datasets.mnist import FashionMnist, Mnist
from small import SMALL

Prunectl = Callable[..., Any]


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where data sets were downloaded to, by a download that fetches nothing."""
    roots: list[Path] = []
    for kind in (Mnist, FashionMnist):
        monkeypatch.setattr(kind, "download", lambda self, root: roots.append(root))
    return roots


def typed(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.StringIO(answer)
    stdin.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)


def stop(*arguments: object, **more: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def run(prunectl: Prunectl, fetched: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prunectl:
    """Runs a study of a data set up to where its steps would begin."""
    monkeypatch.setattr("prunectl.api.run.complete", stop)
    monkeypatch.setattr("prunectl.api.machine.starting_early", lambda machine: nullcontext())

    def begin(dataset: str, *options: str | Path) -> Any:
        study = write_study(tmp_path, SMALL.replace('"digits"', f'"{dataset}"'), "it.toml")
        return prunectl("run", study, "--data", tmp_path / "none", "--store", tmp_path / "store", *options)

    return begin


@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize(("answer", "times"), [("\n", 1), ("y\n", 1), ("n\n", 0), ("", 0)])
def test_a_run_offers_it_on_a_terminal(
    dataset: str, answer: str, times: int, run: Prunectl, fetched: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its content is known beforehand, or only from the files."""
    typed(answer, monkeypatch)
    assert f"{dataset} is not under " in run(dataset).err
    assert len(fetched) == times


def test_elsewhere_it_is_downloaded_only_if_that_is_asked_for(run: Prunectl, fetched: list[Path]) -> None:
    assert "Download it" not in run("mnist").err
    assert fetched == []
    assert "downloading mnist (11.6 MB) to " in run("mnist", "--download").err
    assert len(fetched) == 1


def test_nothing_is_offered_that_is_not_needed(
    run: Prunectl, fetched: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prunectl.api.data.needed", lambda session, stage: False)
    run("mnist", "--download")
    run("digits", "--download")
    assert fetched == []


def test_data_sets_are_listed_and_fetched(prunectl: Prunectl, tmp_path: Path) -> None:
    ran = prunectl("data", "ls", "--data", tmp_path)
    assert (ran.code, f"The data directory is {tmp_path}" in ran.err) == (0, True)
    assert "digits         yes   10       1,442 + 355         –         included" in ran.out
    assert "mnist was not found under /" in ran.out
    document = prunectl("data", "ls", "--data", tmp_path, "--json").json()
    assert document["data"] == str(tmp_path) and len(document["datasets"]) > 6
    assert prunectl("data", "get", "digits").out == "digits: included in prunectl, checked\n"
    assert "did you mean cifar10?" in prunectl("data", "get", "cifar-10").err
