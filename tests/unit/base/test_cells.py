"""A cell is a bare word or TOML on one line, and is read back as exactly the value that was written."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import Any

import pytest

from prunectl.base.cells import cell, parsed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("snip", "snip"),
        ("uniform+", "uniform+"),
        ("file:net.py:Net", "file:net.py:Net"),
        (0.5, "0.5"),
        (-0.0, "-0.0"),
        (1e-5, "1e-05"),
        (3, "3"),
        (True, "true"),
        ("true", '"true"'),
        ("nan", '"nan"'),
        ("0.5", '"0.5"'),
        ("2020-01-01", '"2020-01-01"'),
        ("", '""'),
        ("two words", '"two words"'),
        ('a "quoted" \\ word', '"a \\"quoted\\" \\\\ word"'),
        ("größer", '"größer"'),
        ("\x1b[31m\u202e\x7f\n", '"\\u001b[31m\\u202e\\u007f\\n"'),
        ({}, "{}"),
        ([], "[]"),
        ([1, 2.0, "x"], '[1, 2.0, "x"]'),
        ({"epoch": 4}, "{ epoch = 4 }"),
        ({"name": "snip", "samples_per_class": 5}, '{ name = "snip", samples_per_class = 5 }'),
        ({"a b": {"": ["true"]}}, '{ "a b" = { "" = ["true"] } }'),
    ],
)
def test_a_value_and_its_cell(value: Any, text: str) -> None:
    assert cell(value) == text
    assert repr(parsed(text)) == repr(value)


def test_a_tuple_is_written_as_a_list() -> None:
    assert cell({"milestones": (5, 8)}) == "{ milestones = [5, 8] }"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("  snip ", "snip"),
        ("resnet18 (ours)", "resnet18 (ours)"),
        ("3d-net", "3d-net"),
        ('{name="iterative",rate=0.2}', {"name": "iterative", "rate": 0.2}),
        ("'snip'", "snip"),
        ("1_000", 1000),
        ("1\nb = 2", "1\nb = 2"),
        ("1 " + "x" * 100, "1 " + "x" * 100),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_what_people_write_is_read_too(text: str, value: Any) -> None:
    assert parsed(text) == value


@pytest.mark.parametrize("text", ['{ name = "snip"', "[1, 2", '"snip', "{ name = snip }", "[" * 5000])
def test_a_broken_table_is_not_taken_for_a_word(text: str) -> None:
    with pytest.raises(ValueError, match="not a value of TOML"):
        parsed(text)


@pytest.mark.parametrize("value", [None, [None], {"a": None}, datetime.date(2020, 1, 1), b"x"])
def test_what_has_no_cell_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be written in a cell"):
        cell(value)


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        cell("\udcff")


def test_cells_need_no_torch() -> None:
    code = "import prunectl.base.cells, sys; print({'torch', 'pydantic'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
