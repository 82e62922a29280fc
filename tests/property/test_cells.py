"""Whatever plain value is written as a cell is read back as the same value, of the same types."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from prunectl.base.cells import cell, parsed

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8")),
    st.from_regex(r"[A-Za-z_+.:/@0-9-]{1,6}", fullmatch=True),
    st.floats().map(str),
    st.integers().map(str),
    st.dates().map(str),
    st.sampled_from(["true", "false", "inf", "nan", "-inf", "0x1f", "1_0", "{}", "[]", '"', "'", "a = 1", "#", ""]),
)
SCALARS = st.one_of(TEXTS, st.booleans(), st.integers(), st.floats())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@given(VALUES)
@example(-0.0)
@example({"a": [{}, [], -0.0, float("nan"), "true", 10**400]})
def test_a_cell_is_read_back_as_it_was(value: Any) -> None:
    text = cell(value)
    assert text.isprintable()
    assert repr(parsed(text)) == repr(value)  # tells 0 from 0.0, -0.0 and False, and finds NaN equal
    assert cell(parsed(text)) == text


@given(TEXTS)
def test_any_text_is_a_value_or_refused(text: str) -> None:
    try:
        value = parsed(text)
    except ValueError:
        return
    assert value is not None
