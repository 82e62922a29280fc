"""Tables on the terminal."""

from __future__ import annotations

from prunectl.cli.columns import columns, with_sentences

ROWS = [("a", "1", "a sentence that goes on and on"), ("bcd", "20", "another")]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert columns(["name", "n"], [row[:2] for row in ROWS]) == ["name  n", "a     1", "bcd   20"]


def test_sentences_are_next_to_the_columns_where_they_fit() -> None:
    lines = with_sentences(["name", "n", "what"], ROWS, 60)
    assert lines == ["name  n   what", "a     1   a sentence that goes on and on", "bcd   20  another"]


def test_sentences_are_below_where_the_terminal_is_narrow() -> None:
    assert with_sentences(["name", "n", "what"], ROWS, 24) == [
        "name  n", "a     1", "    a sentence that goe…", "bcd   20", "    another",
    ]  # fmt: skip


def test_control_characters_are_harmless() -> None:
    assert columns(["a"], [["\x1b[2J"]])[1] == r"\x1b[2J"
