"""Text for people: each quantity in its unit, nothing invisible, nothing that JSON cannot hold."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunectl.base import text

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("estimate", "written"),
    [(0.0, "a few seconds"), (0.053, "a few seconds"), (9.9, "a few seconds"), (10.0, "10 s"), (44.0, "40 s"),
     (94.0, "90 s"), (95.0, "2 min"), (99.9, "2 min"), (5999.0, "100 min"), (7200.0, "2.0 h")],
)  # fmt: skip
def test_a_time_that_is_left_is_no_more_exact_than_an_estimate(estimate: float, written: str) -> None:
    assert text.left(estimate) == written


@pytest.mark.parametrize(
    ("write", "value", "written"),
    [
        (text.percent, 0.9, "90 %"),
        (text.percent, 0.998, "99.8 %"),
        (text.percent, 0.99995, "99.995 %"),
        (text.percent, 1.0, "100 %"),
        (text.percent, 0.0, "0 %"),
        (text.points, 0.0123, "1.23 points"),
        (text.points, -0.0123, "−1.23 points"),
        (text.points, -0.00001, "0.00 points"),
        (text.seconds, 0.02, "20 ms"),
        (text.seconds, 1.54, "1.5 s"),
        (text.seconds, 100, "2 min"),
        (text.seconds, 10_800, "3.0 h"),
        (text.seconds, 47.9 * 3600, "47.9 h"),
        (text.seconds, 48 * 3600 - 1, "2.0 days"),
        (text.seconds, 108 * 3600, "4.5 days"),
        (text.left, 108 * 3600, "4.5 days"),
        (text.size, 0, "0 B"),
        (text.size, 999, "999 B"),
        (text.size, 1000, "1.0 kB"),
        (text.size, 3.2e9, "3.2 GB"),
        (text.size, 5e13, "50.0 TB"),
        (text.count, 999, "999"),
        (text.count, 272_474, "272 k"),
        (text.count, 14_714_688, "14.7 M"),
        (text.count, 3e18, "3e+03 P"),
        (text.energy, 80, "80 J"),
        (text.energy, 3599, "3,599 J"),
        (text.energy, 5400, "1.5 Wh"),
        (text.energy, 7.2e6, "2 kWh"),
    ],
)
def test_a_quantity_is_written_in_the_unit_that_suits_it(
    write: Callable[[float], str], value: float, written: str
) -> None:
    assert write(value) == written


@pytest.mark.parametrize("write", [text.percent, text.seconds, text.size, text.count, text.energy])
def test_a_number_that_is_missing_is_a_dash(write: Callable[[float | None], str]) -> None:
    assert write(None) == "–"


def test_digits_signs_and_units_are_as_asked_for() -> None:
    assert text.percent(0.12345, 1) == "12.3 %"
    assert text.points(0.01, sign=True) == "+1.00 points"
    assert text.points(0.0, sign=True) == "0.00 points"
    assert text.points(-0.0123, unit=False, digits=1) == "−1.2"


def test_nouns_and_lists_read_as_english() -> None:
    assert [text.plural(n, "trial") for n in (0, 1, 2, 12_000)] == ["0 trials", "1 trial", "2 trials", "12,000 trials"]
    assert [text.and_list(list(names)) for names in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]


def test_a_long_text_is_cut_to_the_length_asked_for() -> None:
    assert text.shortened("abcdef", 6) == "abcdef"
    assert text.shortened("abcdefg", 6) == "abcde…"


# --- text from elsewhere ---


def test_what_cannot_be_seen_is_written_as_an_escape() -> None:
    assert text.visible("a\u202eb\x07\u200b\u2066\x1b[31m") == r"a\u202eb\x07\u200b\u2066\x1b[31m"
    assert text.visible("\u2028\u00a0\u00ad\U000e0041\ud800") == r"\u2028\xa0\xad\U000e0041\ud800"


def test_every_script_and_sign_that_can_be_seen_stays() -> None:
    for seen in ("שלום, Ünïcode − 速い", "n = 5, σ ≤ 0.1, «×»", "back\\slash"):
        assert text.visible(seen) == seen


def test_a_line_break_stays_only_where_it_is_kept() -> None:
    assert text.visible("a\n\tb\r") == r"a\n\tb\r"
    assert text.visible("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"


@given(st.text(st.characters()))
def test_no_text_keeps_anything_that_moves_hides_or_controls(hostile: str) -> None:
    harmless = text.visible(hostile)
    assert harmless.isprintable()
    assert not set(BIDI) & set(harmless)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in harmless)


@pytest.mark.parametrize("char", [*BIDI, "\u200b", "\u200d", "\ufeff", "\x00", "\x7f", "\x9b", "\ud800", "\u2029"])
def test_each_character_that_a_terminal_or_a_browser_obeys_is_escaped(char: str) -> None:
    assert text.visible(f"a{char}b").isascii()


# --- hints ---


def test_the_nearest_name_is_asked_for_as_it_is_typed_there() -> None:
    assert text.did_you_mean("snpi", ["snip", "grasp"]) == 'did you mean "snip"?'
    assert text.did_you_mean("svgg", ["svg", "png"], "{}") == "did you mean svg?"
    assert text.did_you_mean("SNIP", ["snip"], "{}=...") == "did you mean snip=...?"


def test_no_hint_is_better_than_a_wrong_one() -> None:
    assert text.did_you_mean("xyz", ["snip", "grasp"]) is None
    assert text.did_you_mean("snip", []) is None


def test_a_hint_is_as_harmless_as_any_other_text() -> None:
    assert text.did_you_mean("evil.csv", ["evil\u202e.csv"]) == r'did you mean "evil\u202e.csv"?'


# --- JSON ---


def test_numbers_that_json_cannot_hold_become_null_at_any_depth() -> None:
    value = {"a": [1.0, math.inf, (math.nan, "x")], 2: {"b": -math.inf}, "c": 10**400, "d": None}
    written = text.finite(value)
    assert written == {"a": [1.0, None, [None, "x"]], "2": {"b": None}, "c": 10**400, "d": None}
    json.dumps(written, allow_nan=False)


def test_they_become_what_a_file_can_be_read_back_from_where_that_is_asked_for() -> None:
    assert text.finite([math.inf, -math.inf, math.nan, 0.5], str) == ["inf", "-inf", "nan", 0.5]


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_json_can_hold_stays_as_it_is(value: Any) -> None:
    assert text.finite(value) == value


def test_it_is_cheap_to_import() -> None:
    heavy = "torch polars numpy pydantic rich altair"
    code = f"import sys, prunectl.base.text; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


LONG = "magnitude · at end · layerwise · iterative · weight-rewind"


def test_texts_that_would_look_alike_are_cut_where_they_do_not_differ() -> None:
    short = text.distinct([LONG, f"{LONG}(to=epoch 1)", "snip"], 48)
    assert list(short.values()) == [
        "magnitude · at end · layerwise · i…weight-rewind",
        "magnitude · at end · l…weight-rewind(to=epoch 1)",
        "snip",
    ]


def test_texts_that_differ_nowhere_that_fits_are_numbered() -> None:
    assert list(text.distinct(["a" * 30 + "b" * 30, "a" * 30 + "c" * 30], 10).values()) == ["aaaaa… (1)", "aaaaa… (2)"]


@given(st.lists(st.text("ab ·(", max_size=40), max_size=9), st.integers(6, 30))
def test_short_texts_are_as_short_as_asked_and_as_many_as_before(texts: list[str], length: int) -> None:
    short = text.distinct(texts, length)
    assert list(short) == list(dict.fromkeys(texts))
    assert all(len(text) <= length for text in short.values())
    assert len(set(short.values())) == len(short)
