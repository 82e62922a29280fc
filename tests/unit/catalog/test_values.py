"""The kinds of values: when weights are pruned, and how each is written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from prunectl.base.cells import cell, parsed
from prunectl.catalog.entry import preimage_of, written
from prunectl.catalog.values import At, Moment, PruningMoment, When

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
