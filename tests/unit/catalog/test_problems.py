"""Problems: where each is, in which words, and how many of them are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import pytest
from pydantic import ValidationError, field_validator

from prunectl.base.errors import Problem
from prunectl.catalog.problems import MOST, RULE, VALUE, all_at_once, existing, line, problems_of, refused, unknown
from prunectl.catalog.section import Section
from prunectl.catalog.values import Fraction, Length


class Holder(Section):
    moved: ClassVar[Mapping[str, str]] = {"lr": "it belongs to [train]"}

    rate: Fraction = 0.5
    length: Length | None = None
    order: Literal["first", "last"] = "first"
    numbers: tuple[int, ...] = ()

    @field_validator("numbers")
    @classmethod
    def _even(cls, numbers: tuple[int, ...]) -> tuple[int, ...]:
        if any(number % 2 for number in numbers):
            raise ValueError("holds an odd\x1b number")
        return numbers


class Needing(Section):
    side: int


def problems(table: dict[str, Any], kind: type[Section] = Holder) -> list[Problem]:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(table)
    return list(problems_of(caught.value, table))


@pytest.mark.parametrize(
    ("path", "value", "found", "end"),
    [
        (("key", "(table)", "epoch"), {"key": {"epoch": 1}}, ("key", "epoch"), 1),
        (("key", 0), {"key": 3}, ("key",), 3),
        (("key", 1), {"key": [3, 4]}, ("key", 1), 4),
        (("key", 2), {"key": [3, 4]}, ("key",), [3, 4]),
        (("key", -1), {"key": [3, 4]}, ("key",), [3, 4]),
        ((), {"key": 3}, (), {"key": 3}),
    ],
)
def test_a_path_leads_as_far_as_the_value_goes(path: Any, value: Any, found: Any, end: Any) -> None:
    assert existing(path, value) == (found, end)


def test_an_unknown_key_is_answered_with_the_nearest() -> None:
    assert unknown(("rat",), ["rate", "order"]) == Problem(
        path=("rat",), message="unknown key; allowed here: rate, order", hint='did you mean "rate"?'
    )


def test_a_key_that_belongs_elsewhere_is_answered_with_where() -> None:
    (problem,) = problems({"lr": 0.1})
    assert (problem.key, problem.hint) == ("lr", "it belongs to [train]")


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ({"rate": "0.5"}, "write numbers without quotes"),
        ({"rate": "half"}, None),
        ({"order": "frist"}, 'did you mean "first"?'),
        ({"order": "0.5"}, None),
        ({"rate": 2}, None),
    ],
)
def test_a_text_in_the_wrong_place_is_answered_with_what_was_meant(table: dict[str, Any], hint: str | None) -> None:
    (problem,) = problems(table)
    assert problem.hint == hint


def test_a_missing_key_is_told_at_the_key_with_what_it_takes() -> None:
    (problem,) = problems({}, Needing)
    assert (problem.key, problem.message) == ("side", "missing: must be a whole number")


def test_what_a_validator_refuses_is_told_without_control_characters() -> None:
    (problem,) = problems({"numbers": [1]})
    assert problem.key == "numbers"
    assert "holds an odd" in problem.message
    assert "\x1b" not in problem.message


def test_no_more_than_200_mistakes_are_taken_from_one_table() -> None:
    assert len(problems({"numbers": ["x"] * (MOST + 1)})) == 200


def test_of_a_place_only_the_first_wrong_value_is_told_but_every_broken_rule() -> None:
    told = [("one", RULE), ("two", VALUE), ("three", RULE), ("four", VALUE)]
    table = {"rate": 0.5}
    lines = [line(Problem(path=("rate",), message=text), table, kind) for text, kind in told]
    assert [problem.message for problem in problems_of(refused(lines), table)] == ["one", "three"]


def test_given_problems_and_those_of_a_validation_are_raised_together() -> None:
    table = {"rate": 3}
    with pytest.raises(ValidationError) as caught, all_at_once(Holder, [line(unknown(("x",), []), {"x": 1})]):
        Holder.model_validate(table)
    assert [problem.message for problem in problems_of(caught.value, {**table, "x": 1})] == [
        "unknown key; no key is allowed here",
        "must be a number, at least 0 and less than 1, not 3",
    ]


def test_a_rule_across_keys_hides_no_wrong_value() -> None:
    found = {problem.key: problem.message for problem in problems({"length": {"epochs": 0, "steps": 3}})}
    assert found["length.steps"] == "cannot be combined with epochs; keep one of them"
    assert found["length.epochs"].startswith("must be a whole number, at least 1")


def test_what_is_no_table_is_told_once() -> None:
    (problem,) = problems({"length": [3]})
    assert (problem.key, problem.message) == ("length", "must be a table, not a list of 1")
