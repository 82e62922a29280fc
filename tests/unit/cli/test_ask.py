"""Questions on the terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunectl.study.load import load

Prunectl = Callable[..., Any]


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Gives what a person types on a terminal."""

    def answers(text: str) -> None:
        stdin = io.StringIO(text)
        stdin.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    return answers


def test_enter_takes_every_default(prunectl: Prunectl, typing: Callable[[str], None], tmp_path: Path) -> None:
    typing("\n" * 5)
    ran = prunectl("new")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("Name of the study [my-study]: Data set (? lists them) [digits]: ")
    assert ran.err.endswith("wrote my-study.toml; run it with `prunectl run my-study.toml`\n")
    prunectl("new", "other")
    assert (tmp_path / "other.toml").read_text().replace("other", "my-study") == (
        tmp_path / "my-study.toml"
    ).read_text()


def test_a_wrong_answer_is_explained_and_asked_again(
    prunectl: Prunectl, typing: Callable[[str], None], tmp_path: Path
) -> None:
    typing("My\nmine\n?\nminst\nmnist\nresnet-50x\nlenet-5\nsnipp\nsnip, grasp\nhalf\n2\n0, 0.9\n")
    ran = prunectl("new")
    assert ran.code == 0
    for explained in (
        "invalid study name 'My'",
        "digits, mnist, ",
        "did you mean mnist?",
        "there is no 'resnet-50x' among the models",
        "did you mean snip?",
        "'half' is not a number",
        "sweep.sparsities",
    ):
        assert explained in ran.err
    study = load(tmp_path / "mine.toml").study
    assert (study.data.dataset.name, study.model.model.name) == ("mnist", "lenet-5")
    assert [criterion.name for criterion in study.prune[0].criterion] == ["snip", "grasp"]


def test_nothing_is_written_if_the_answers_end(
    prunectl: Prunectl, typing: Callable[[str], None], tmp_path: Path
) -> None:
    typing("mine\n")
    assert prunectl("new").code == 2
    assert list(tmp_path.glob("*.toml")) == []


def test_without_a_terminal_it_says_what_to_give(prunectl: Prunectl) -> None:
    ran = prunectl("new")
    assert ran.code == 2
    assert "no name is given, and there is no terminal to ask on" in ran.err
    assert "`prunectl new NAME --from STUDY`" in ran.err


def test_a_copy_by_name(prunectl: Prunectl, tmp_path: Path) -> None:
    assert prunectl("new", "my-smoke", "--from", "smoke").code == 0
    assert load(tmp_path / "my-smoke.toml").study.name == "my-smoke"
    assert "did you mean smoke?" in prunectl("new", "x", "--from", "smok").err
