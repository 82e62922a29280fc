"""Texts of a study file on a page: nothing in them moves, hides or runs."""

from __future__ import annotations

import json
import math

import pytest

from prunectl.report.inert import script_json

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`${7*7}{{7*7}}\u202eevil\x1b[31m\u2028"


def test_json_in_a_script_cannot_end_it() -> None:
    text = script_json({"x": HOSTILE + "<!--"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"x": HOSTILE + "<!--"}


def test_json_in_a_script_has_no_numbers_that_are_not_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(math.nan)
