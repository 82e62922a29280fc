"""The kinds of values: when weights are pruned, and how each is written."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter, ValidationError

from prunectl.base.cells import cell, parsed
from prunectl.catalog.entry import preimage_of, written
from prunectl.catalog.problems import problems_of
from prunectl.catalog.section import Section
from prunectl.catalog.values import At, Budget, Fraction, Length, Many, Moment, PruningMoment, Seeds, When

AT = TypeAdapter[Any](At)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("init", "init"),
        ("end", "end"),
        ({"epoch": 0}, "init"),
        ({"step": 0}, "init"),
        ({"epoch": 4}, PruningMoment(epoch=4)),
        ({"epoch": 4, "schedule": "continue"}, PruningMoment(epoch=4)),
        ({"step": 9, "schedule": "restart"}, PruningMoment(step=9, schedule="restart")),
    ],
)
def test_weights_are_pruned_at_a_word_or_at_a_moment(value: Any, at: Any) -> None:
    assert AT.validate_python(value) == at


@pytest.mark.parametrize("unit", ["epoch", "step"])
@pytest.mark.parametrize("schedule", ["continue", "restart"])
def test_at_the_start_there_is_no_schedule_to_go_on_with(unit: str, schedule: str) -> None:
    with pytest.raises(ValidationError, match=f'{unit} 0 is "init", before the schedule begins'):
        AT.validate_python({unit: 0, "schedule": schedule})


@pytest.mark.parametrize("value", ["ned", 3, {}, {"epoch": 1, "step": 1}, {"epoch": -1}, {"epoch": 1, "schedule": "x"}])
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        AT.validate_python(value)


def test_only_pruning_restarts_a_schedule() -> None:
    with pytest.raises(ValidationError, match="unknown key"):
        TypeAdapter[Any](When).validate_python({"epoch": 4, "schedule": "restart"})


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("end", "end"),
        (Moment(epoch=4), "{ epoch = 4 }"),
        (PruningMoment(epoch=4), "{ epoch = 4 }"),
        (PruningMoment(step=4, schedule="restart"), '{ step = 4, schedule = "restart" }'),
    ],
)
def test_a_moment_has_one_cell(at: Any, text: str) -> None:
    assert cell(written(at)) == text
    if type(at) is not Moment:
        assert AT.validate_python(parsed(text)) == at


def test_a_key_holds_the_defaults_of_a_moment() -> None:
    assert preimage_of(PruningMoment(epoch=4)) == {"epoch": 4, "schedule": "continue"}


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (Many[Fraction], 0.5, (0.5,)),
        (Many[Fraction], [0.5, 0], (0.5, 0.0)),
        (Many[When], "end", ("end",)),
        (Many[When], [{"epoch": 0}, "end"], ("init", "end")),
        (Seeds, 3, (1, 2, 3)),
        (Budget, 1, 1.0),
        (Budget, {"steps": 3}, Length(steps=3)),
    ],
)
def test_what_a_value_becomes(kind: Any, value: Any, result: Any) -> None:
    class Holder(Section):
        key: kind

    assert Holder.model_validate({"key": value}).key == result


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        (Many[Fraction], 1.0, {"key": "must be a number, at least 0 and less than 1, not 1.0"}),
        (Many[Fraction], [0.5, 2, "x"], {"key[1]": "not 2", "key[2]": 'not "x"'}),
        (Many[Fraction], [], {"key": "and less than 1, or a list of such, not an empty list"}),
        (Many[Fraction], [0, 0.5, 0.0, 0.5], {"key[2]": "first at place 0", "key[3]": "first at place 1"}),
        (Many[When], ["end", "ned"], {"key[1]": 'one of "init", "end", or a table { epoch = N } or { step = N }'}),
        (Many[At], {"epoch": 0, "schedule": "restart"}, {"key.schedule": 'epoch 0 is "init"'}),
        (Many[At], {"step": 3, "schedule": "again"}, {"key.schedule": 'one of "continue", "restart", not "again"'}),
        (
            Budget, 0,
            {"key": 'at most 100, or a table { epochs = N } or { steps = N }, or "flops", or a table { flops = true,'},
        ),
        (Budget, {"epochs": 0}, {"key.epochs": "must be a whole number, at least 1"}),
        (Seeds, "3", {"key": 'a count, or a list of whole numbers from 0 to 2147483647'}),
        (Many[Fraction], [7] * 1001, {"key": "must be a list of at most 1000, not a list of 1001"}),
        (Seeds, [1] * 10_001, {"key": "must be a list of at most 10000, not a list of 10001"}),
        (Seeds, 0, {"key": "at least 1 and at most 10000, not 0"}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_value(kind: Any, value: Any, wrong: dict[str, str]) -> None:
    class Holder(Section):
        key: kind

    table = {"key": value}
    with pytest.raises(ValidationError) as caught:
        Holder.model_validate(table)
    problems = {problem.key: problem.message for problem in problems_of(caught.value, table)}
    assert problems.keys() == wrong.keys()
    assert [key for key in wrong if wrong[key] not in problems[key]] == []


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (Many[Fraction], [0.5, [0.5, 0]], [1, [], [1], "x", {}, [0.5] * 1001]),
        (When, ["init", "end", {"epoch": 0}, {"step": 3}], ["x", 3, {}, {"epoch": 1, "step": 1}, {"epoch": -1}]),
        (At, ["init", {"epoch": 1, "schedule": "restart"}], [{"schedule": "restart"}, {"epoch": 1, "schedule": 1}]),
        (Budget, [0.5, 1, {"epochs": 1}], [0, 101, {}, {"epochs": 1, "steps": 1}, {"epochs": 0}]),
        (Seeds, [1, [0, 7]], [0, [], [-1], 10_001, 1.5]),
    ],
)
def test_a_type_gives_the_schema_of_what_a_file_may_hold(kind: Any, right: list[Any], wrong: list[Any]) -> None:
    schema = TypeAdapter(kind).json_schema()
    validator = jsonschema.Draft202012Validator(schema)
    assert [value for value in right if not validator.is_valid(value)] == []
    assert [value for value in wrong if validator.is_valid(value)] == []
