"""What Tab offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cli import write_study
from prunectl.catalog import lookup
from prunectl.cli import app, complete
from small import SMALL

STUDY = SMALL + '[profile.quick]\n"train.epochs" = 2\n'


@pytest.fixture
def offered(
    prunectl: Any, completed: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """What is offered for the last of some words, in a directory with a study `mine.toml`."""
    from typer._completion_classes import BashComplete

    write_study(tmp_path, STUDY, "mine.toml")
    monkeypatch.setenv("PRUNECTL_STORE", str(completed[0] / "store"))

    def values(*words: str) -> list[str]:
        shell = BashComplete(typer.main.get_command(app.app), {}, "prunectl", "_PRUNECTL_COMPLETE")
        return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]

    return values


def test_kinds_and_names_are_offered(offered: Callable[..., list[str]]) -> None:
    assert offered("list", "")[:2] == ["criteria", "scopes"]
    assert offered("list", "mod") == ["models"]
    assert offered("list", "criteria", "sni") == ["snip", "snip-iterative"]
    assert "smoke" in offered("list", "studies", "")


def test_studies_are_offered(offered: Callable[..., list[str]]) -> None:
    assert offered("run", "mi") == ["mine.toml"]
    assert offered("run", "smo") == ["smoke"]
    assert offered("report", "comp6258") == ["comp6258-vgg16"]
    assert "published:comp6258-figure1" in offered("compare", "mine.toml", "published:")


def test_selectors_are_those_of_the_study_that_was_typed(offered: Callable[..., list[str]]) -> None:
    assert offered("run", "mine.toml", "--only", "crit") == ["criterion=magnitude", "criterion=random"]
    after = offered("run", "mine.toml", "--only", "criterion=random,spar")
    assert after == ["criterion=random,sparsity=0", "criterion=random,sparsity=0.5"]
    assert offered("run", "--only", "crit") == []


def test_keys_and_profiles_are_those_of_the_study_that_was_typed(offered: Callable[..., list[str]]) -> None:
    assert offered("run", "mine.toml", "--profile", "") == ["quick"]
    assert offered("run", "mine.toml", "--set", "train.e") == ["train.epochs="]
    assert offered("run", "mine.toml", "--set", "prune[0].c") == ["prune[0].criterion="]
    assert "train.weight_decay=" in offered("run", "mine.toml", "--set", "train.w")


def test_fixed_values_are_offered(offered: Callable[..., list[str]]) -> None:
    assert offered("report", "--format", "l") == ["latex"]
    assert offered("report", "--center", "") == ["mean", "median"]
    assert offered("run", "--device", "cu") == ["cuda", "cuda:0", "cuda:0,1"]
    assert offered("run", "--executor", "") == lookup.names("executors")
    assert offered("run", "--track", "") == lookup.names("trackers")
    assert offered("compare", "--format", "h") == ["html"]


def test_artefacts_and_charts_are_offered(offered: Callable[..., list[str]], completed: tuple[Path, Any]) -> None:
    key = next((completed[0] / "store" / "objects").glob("*/*")).name
    assert key in offered("cache", "show", key[:8])
    assert "top1-sparsity" in offered(
        "report", str(completed[0] / "study.toml"), "--format", "svg", "--chart", "top1-s"
    )


def test_whatever_goes_wrong_offers_nothing() -> None:
    @complete.offering
    def broken(ctx: typer.Context, incomplete: str) -> list[str]:
        raise RuntimeError

    assert broken(None, "") == []  # type: ignore[arg-type]
