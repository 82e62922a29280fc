"""`prunectl compare`: formats, and options that do not go together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import made_up

Prunectl = Callable[..., Any]


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, str]:
    """Two results files in the working directory."""
    trials = made_up.results(seeds=2, epochs=2).trials
    for name in ("a.csv", "b.csv"):
        made_up.write_table(trials, tmp_path / name)
    return "a.csv", "b.csv"


def test_text_is_printed_and_fits_the_terminal(prunectl: Prunectl, tables: tuple[str, str]) -> None:
    said = prunectl("compare", *tables)
    assert said.code == 0, said.err
    assert "A  a.csv" in said.out
    assert max(map(len, said.out.splitlines())) <= 100


def test_json_and_its_two_spellings(prunectl: Prunectl, tables: tuple[str, str]) -> None:
    first = prunectl("compare", *tables, "--json")
    assert json.loads(first.out)["first"] == "a.csv"
    assert prunectl("compare", *tables, "--format", "json").out == first.out


def test_a_page_goes_to_a_file(prunectl: Prunectl, tables: tuple[str, str], tmp_path: Path) -> None:
    said = prunectl("compare", *tables, "--format", "html")
    assert (said.out, said.err) == ("", "wrote comparison.html\n")
    assert prunectl("compare", *tables, "-o", "mine.htm").err == "wrote mine.htm\n"
    assert (tmp_path / "mine.htm").read_text().startswith("<!")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--format", "htm"], "did you mean html?"),
        (["--json", "--format", "html"], "exclude each other"),
        (["--open", "--format", "text"], "--open shows a page"),
        (["--open", "-o", "-"], "--open shows a page"),
        (["-o", "no/such/place.html"], "cannot be written"),
    ],
)
def test_what_does_not_go_together_is_refused(
    arguments: list[str], expected: str, prunectl: Prunectl, tables: tuple[str, str]
) -> None:
    said = prunectl("compare", *tables, *arguments)
    assert said.code == 2
    assert expected in said.err
