"""Values and what is allowed, in the words of messages."""

from __future__ import annotations

from typing import Any

import pytest

from prunectl.catalog.wording import a, allowed, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (10**60 - 1, "9" * 60),
        (10**60, "a number of more than 60 digits"),
        (-(10**60), "a number of more than 60 digits"),
        (0.1, "0.1"),
        ({}, "an empty table"),
        ({"a": 1}, "a table"),
        ((), "an empty list"),
        ([1, 2], "a list of 2"),
    ],
)
def test_a_value_is_shown_as_a_study_would_write_it_and_never_long(value: Any, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, "a whole number, at least 1 and at most 9"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "a number, more than 0 and less than 1"),
        ({"enum": ["x"]}, '"x"'),
        ({"enum": ["x", "y"]}, 'one of "x", "y"'),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "true or false"),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, "text, or a table"),
        ({"type": "array", "items": {"type": "string"}}, "a list, each item text"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
         "a list of at least one and at most 3, each text"),
        ({"$ref": "#/$defs/N"}, "a whole number, at least 3"),
        ({}, "another value"),
    ],
)  # fmt: skip
def test_a_schema_is_told_in_words(schema: dict[str, Any], text: str) -> None:
    assert allowed(schema, {"N": {"type": "integer", "minimum": 3}}) == text


def test_the_article_goes_with_the_first_letter() -> None:
    assert [a(noun) for noun in ("ablation", "model")] == ["an ablation", "a model"]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, "text"),
        ({"minLength": 1}, "text that is not empty"),
        ({"maxLength": 80}, "text of at most 80 characters"),
        ({"minLength": 1, "maxLength": 2000}, "text of 1 to 2,000 characters"),
    ],
)
def test_text_of_another_length_is_refused_with_the_length(limits: dict[str, int], words: str) -> None:
    assert allowed({"type": "string", **limits}, {}) == words
