"""Lengths, moments and lists of values at their bounds; labels and keys of entries that hold tables."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from prunectl.base.keys import canonical
from prunectl.catalog.entry import preimage_of, written
from prunectl.catalog.section import resolve
from prunectl.catalog.strict_table import tupled
from prunectl.catalog.values import Length, Many, Moment, Multiple, PruningMoment, Seeds, distinct
from unit.catalog.plugins import Blur, Needy, Outer


@pytest.mark.parametrize("table", [{"epochs": 1}, {"epochs": 1_000_000}, {"steps": 1}, {"steps": 1_000_000_000}])
def test_a_length_reaches_to_its_bounds(table: dict[str, int]) -> None:
    assert written(Length.model_validate(table)) == table


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({}, "one of the keys epochs, steps must be given"),
        ({"epochs": 1, "steps": 1}, "cannot be combined with epochs; keep one of them"),
        ({"epochs": 1_000_001}, "must be a whole number, at least 1 and at most 1000000, not 1000001"),
        ({"steps": 1_000_000_001}, "at most 1000000000, not 1000000001"),
        ({"epochs": 2.0}, "must be a whole number, at least 1 and at most 1000000, not 2.0"),
        ({"epochs": True}, "must be a whole number, at least 1 and at most 1000000, not true"),
        ({"epoch": 3}, "unknown key; allowed here: epochs, steps"),
    ],
)
def test_a_length_is_one_whole_number_of_one_unit(table: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Length.model_validate(table)
    assert any(error["msg"].endswith(told) for error in caught.value.errors())


def test_as_many_epochs_as_steps_are_another_length() -> None:
    assert len({Length(epochs=3), Length(steps=3), Length(epochs=3)}) == 2
    assert preimage_of(Length(epochs=3)) != preimage_of(Length(steps=3))


def test_a_moment_may_be_the_start_but_a_length_may_not_be_nothing() -> None:
    assert written(Moment(epoch=0)) == {"epoch": 0}
    with pytest.raises(ValidationError):
        Length(epochs=0)


def test_a_moment_of_pruning_is_not_the_same_moment_without_its_schedule() -> None:
    assert PruningMoment(epoch=4, schedule="restart") != PruningMoment(epoch=4)
    assert written(PruningMoment(epoch=4, schedule="restart")) == {"epoch": 4, "schedule": "restart"}


def test_every_repetition_in_a_list_is_told_with_where_it_was_first() -> None:
    with pytest.raises(ValidationError) as caught:
        distinct(("a", "b", "a", "a"))
    assert [(error["loc"], error["msg"]) for error in caught.value.errors()] == [
        ((place,), '"a" is in the list twice (first at place 0, counted from 0)') for place in (2, 3)
    ]


def test_a_repeated_table_is_called_this() -> None:
    with pytest.raises(ValidationError, match=r"this is in the list twice \(first at place 1"):
        TypeAdapter(Many[Length]).validate_python([{"steps": 1}, {"epochs": 1}, {"epochs": 1}])


@pytest.mark.parametrize(("value", "seeds"), [([0, 2**31 - 1], (0, 2**31 - 1)), (1, (1,)), ([5], (5,))])
def test_seeds_are_counted_from_1_and_listed_from_0(value: Any, seeds: tuple[int, ...]) -> None:
    assert TypeAdapter(Seeds).validate_python(tupled(value)) == seeds


@pytest.mark.parametrize("value", [True, 2**31, [2**31], [1, 1], [-1], "1"])
def test_what_is_no_count_and_no_list_of_seeds_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Seeds).validate_python(tupled(value))


def test_a_thousand_values_are_a_list_and_one_more_are_not() -> None:
    many = TypeAdapter(Many[Multiple])
    assert len(many.validate_python([place / 1000 for place in range(1, 1001)])) == 1000
    with pytest.raises(ValidationError, match="must be a list of at most 1000, not a list of 1001"):
        many.validate_python([place / 1001 for place in range(1, 1002)])


def rates(**per_layer: float) -> Any:
    return resolve("scopes", {"name": "rates", "per_layer": per_layer})


def test_a_table_in_a_parameter_has_one_key_whatever_its_order() -> None:
    one, other = rates(conv1=0.5, conv2=1.0), rates(conv2=1.0, conv1=0.5)
    assert one == other
    assert hash(one) == hash(other)
    assert canonical(one) == canonical(other)


def test_a_label_tells_what_a_table_in_a_parameter_holds() -> None:
    assert rates(conv1=0.5).label() == "rates(per_layer=conv1 0.5)"


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        (Blur(kernel=(1,)), "blur(kernel=[1])"),
        (Blur(radius=1.0), "blur"),
        (Outer(length=Length(steps=7)), "outer(length=steps 7)"),
        (resolve("criteria", {"name": "snip", "samples_per_class": 1}), "snip(samples_per_class=1)"),
    ],
)
def test_a_label_tells_what_was_changed_and_nothing_else(entry: Any, label: str) -> None:
    assert entry.label() == label


def test_a_parameter_set_to_its_default_is_not_written() -> None:
    assert Outer(blur=Blur(radius=1.0), budget=(1.0,)).written() == "outer"
    assert Needy(side=3).changed() == {"side": 3}


def test_lists_at_any_depth_become_tuples_and_whole_numbers_stay_whole() -> None:
    read = tupled({"a": [1, [-0.0]], "b": {"c": [True]}})
    assert read == {"a": (1, (0.0,)), "b": {"c": (True,)}}
    assert str(read["a"]) == "(1, (0.0,))"
    assert read["b"]["c"][0] is True
