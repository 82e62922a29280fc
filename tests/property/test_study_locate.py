"""The locator finds every key and item of any TOML document where it stands."""

from __future__ import annotations

from typing import Any

import tomli
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prunectl.base.errors import Path
from prunectl.study.locate import locate, offsets

KEYS = st.one_of(
    st.sampled_from(
        ["a", "b-c", "d_1", "7", "dotted.key", "with space", 'qu"ote', "it's", "ü", "#", "[x]", "", "\\", "="]
    ),
    st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f"), max_size=4),
)
SCALARS = st.one_of(
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False),
    st.booleans(),
    st.datetimes(),
    st.dates(),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(
        ["]", "}", "# no comment", '"""', "'''", "a\nb = 1\n", "\\", '\\"', "x = [1, {y = 2}]", "'", '""\n""']
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
DIGITS = st.integers(0, 9)
SETTINGS = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)


def paths(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """Every path of a document below `path`, with what is there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, item in items for each in [((*path, key), item), *paths(item, (*path, key))]]


def key_at(text: str, offset: int) -> str:
    """The key that is written at an offset, decoded."""
    for end in range(offset + 1, len(text) + 1):
        token = text[offset:end]
        rest = text[end:].lstrip(" \t")
        if rest[:1] not in (".", "=", "]"):
            continue
        try:
            table = tomli.loads(f"{token} = 0")
        except tomli.TOMLDecodeError:
            continue
        if list(table.values()) == [0]:
            return next(iter(table))
    raise AssertionError(f"no key at {offset} of {text!r}")


@SETTINGS
@given(DOCUMENTS, st.booleans())
def test_every_key_is_where_its_text_is(document: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    found = offsets(text)
    for path, _ in paths(tomli.loads(text)):
        assert path in found, f"{path} is not found in {text!r}"
        if isinstance(path[-1], str):
            assert key_at(text, found[path]) == path[-1]


@SETTINGS
@given(st.dictionaries(KEYS, st.lists(DIGITS | st.lists(DIGITS, max_size=3), min_size=1, max_size=4), max_size=3))
def test_every_item_is_where_its_text_is(document: dict[str, list[Any]]) -> None:
    text = tomli_w.dumps(document)
    found = offsets(text)
    for path, value in paths(tomli.loads(text)):
        if isinstance(path[-1], int):
            assert text.startswith("[" if isinstance(value, list) else str(value), found[path])


@SETTINGS
@given(DOCUMENTS, st.lists(KEYS | st.integers(0, 3), max_size=4))
def test_a_path_that_is_not_there_is_told_at_the_nearest_table(document: dict[str, Any], path: list[str | int]) -> None:
    text = tomli_w.dumps(document)
    line, column = locate(text, tuple(path))
    assert 1 <= line <= text.count("\n") + 1
    assert 1 <= column <= len(text.split("\n")[line - 1]) + 1
