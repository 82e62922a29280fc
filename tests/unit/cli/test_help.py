"""How `--help` looks, and that its examples are commands."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer.main

from prunectl.cli import app
from prunectl.cli.examples import EXAMPLES
from prunectl.cli.help import GROUPS, first_sentence

Prunectl = Callable[..., Any]
ROOT = typer.main.get_command(app.app)
WIDTH = 78
"""What typer uses of a terminal with 80 columns."""


def commands(command: Any = ROOT, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}".strip())


def test_first_lines_are_whole_and_fit_a_terminal_of_80_columns(prunectl: Prunectl, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for path, command in commands():
        inner = getattr(command, "commands", {})
        if not inner:
            continue
        lines = prunectl(*path.split(), "--help").out.splitlines()
        assert not [line for line in lines if line.endswith("...") and "Usage" not in line]
        for name, each in inner.items():
            sentence = first_sentence(each.help)
            assert f"  {name.ljust(max(map(len, inner)))}  {sentence}" in lines, f"{path} {name}: {sentence}"


def test_the_first_line_of_a_command_that_may_train_warns_of_it() -> None:
    training = {path: command for path, command in commands() if "jobs" in {each.name for each in command.params}}
    assert {"run", "prune", "latency", "sensitivity", "judge"} <= training.keys()
    for path, command in training.items():
        assert command.help.startswith(("Train ", "Run ", "Do what is missing ")), path


def test_every_command_has_an_example_that_it_takes() -> None:
    for path, _ in commands():
        assert EXAMPLES.get(path), path
    assert set(EXAMPLES) == {path for path, _ in commands()}
    for line in [line for lines in EXAMPLES.values() for line in lines]:
        words = shlex.split(line.partition(" > ")[0])
        command: Any = ROOT
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        command.make_context("prunectl", words)  # raises for a word that it does not take


def test_examples_are_shown_and_options_are_in_groups(prunectl: Prunectl) -> None:
    out = prunectl("run", "--help").out
    assert out.splitlines()[0] == "Usage: prunectl run [OPTIONS] [STUDY]"
    heads = [line[:-1] for line in out.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert heads == [*GROUPS, "Examples"]
    assert "\n  prunectl run smoke\n" in out
    assert "{" not in prunectl("cache", "show", "--help").out.splitlines()[0]


@pytest.mark.parametrize("words", [(), ("cache",)])
def test_a_group_alone_shows_its_commands_and_ends_well(words: tuple[str, ...], prunectl: Prunectl) -> None:
    ran = prunectl(*words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == prunectl(*words, "--help").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nonsense",), "no such command 'nonsense'"),
        (("judge", "a", "b"), "got unexpected extra argument(s) (b)"),
        (("run", "--nonsense"), "no such option: --nonsense"),
        (("run", "--jobs", "0"), "invalid value for '--jobs' / '-j': 0 is not in the range x>=1"),
    ],
)
def test_a_wrong_command_line_is_an_error_like_any_other(
    words: tuple[str, ...], message: str, prunectl: Prunectl
) -> None:
    ran = prunectl(*words)
    group = "" if words[0] == "nonsense" else f" {words[0]}"
    assert ran.code == 2
    assert ran.err == f"error: {message}\n  `prunectl{group} --help` shows what it takes\n"


def test_a_missing_argument_is_explained_by_examples(prunectl: Prunectl) -> None:
    assert prunectl("log").err == (
        "error: missing argument 'KEY|ARM': the beginning of a step's key, or an arm as tables call it\n"
        "  for example `prunectl log snip` or `prunectl log 3f2a90`; `prunectl log --help` shows what it takes\n"
    )
    assert "for example `prunectl cache show 3f2a90`; " in prunectl("cache", "show").err


def test_a_command_for_one_study_shows_how_to_do_several(prunectl: Prunectl) -> None:
    assert prunectl("run", "smoke", "l.toml").err == (
        "error: got unexpected extra argument(s) (l.toml)\n"
        "  prunectl run takes one study; for several: `prunectl run smoke && prunectl run l.toml`; `prunectl "
        "run --help` shows what it takes\n"
    )
    assert "takes one study" not in prunectl("log", "snip", "a.toml", "b.toml").err
