"""Texts of a study file on a page: nothing in them moves, hides or runs."""

from __future__ import annotations

import json
import math

import pytest

from prunectl.report.inert import finite, script_json, shortened, visible

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`${7*7}{{7*7}}\u202eevil\x1b[31m\u2028"


def test_what_is_invisible_is_written_out() -> None:
    assert visible("a\u202eb\x07\u200b\u2066") == "a⟨U+202E⟩b⟨U+0007⟩⟨U+200B⟩⟨U+2066⟩"
    assert visible("שלום, Ünïcode − 速い") == "שלום, Ünïcode − 速い"


def test_lines_and_tabs_of_a_file_can_be_kept() -> None:
    assert visible("a\n\tb\r", keep="\n\t") == "a\n\tb⟨U+000D⟩"


def test_a_text_is_shortened_to_its_beginning() -> None:
    assert shortened("magnitude", 9) == "magnitude"
    assert shortened("magnitude", 8) == "magnitu…"


def test_json_in_a_script_cannot_end_it() -> None:
    text = script_json({"x": HOSTILE + "<!--"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"x": HOSTILE + "<!--"}


def test_json_in_a_script_has_no_numbers_that_are_not_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(math.nan)


def test_numbers_that_json_does_not_have_become_null() -> None:
    values = {"a": [1.0, math.inf, -math.inf], "b": (math.nan, {"c": math.nan}), "d": "inf", "e": 3}
    assert finite(values) == {"a": [1.0, None, None], "b": [None, {"c": None}], "d": "inf", "e": 3}
