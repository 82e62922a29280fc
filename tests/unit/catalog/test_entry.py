"""What an entry gives to a key, to a study file and to people; entries and tables inside it included."""

from __future__ import annotations

import pickle
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prunectl.base.cells import cell, parsed, words
from prunectl.base.keys import canonical
from prunectl.catalog.code import code_of
from prunectl.catalog.entry import CODE, Absent, Entry
from prunectl.catalog.problems import problems_of
from prunectl.catalog.section import resolve
from prunectl.catalog.values import Length, Moment, PruningMoment
from unit.catalog.conftest import Register
from unit.catalog.plugins import Blur, Inner, Needy, Outer

CHANGED = Outer(
    blur=Blur(radius=2.0),
    inner=Inner(count=4),
    to=Moment(epoch=2),
    at=PruningMoment(step=5, schedule="restart"),
    length=Length(steps=7),
    budget=(0.5, Length(epochs=3)),
    moments=(Moment(step=1), Moment(epoch=1)),
    later=1.5,
)


def test_a_key_holds_every_default_and_the_entries_inside_with_their_versions() -> None:
    assert Outer().preimage() == {
        "name": "outer",
        "version": 1,
        CODE: code_of(Outer),
        "blur": {"name": "blur", "version": 1, CODE: code_of(Blur), "radius": 1.0, "kernel": [1, 2, 1]},
        "inner": {"name": "inner", "version": 3, CODE: code_of(Inner), "rate": 0.5, "count": 1},
        "to": "end",
        "at": "init",
        "length": None,
        "budget": [1.0],
        "moments": [],
    }


def test_a_key_is_made_again_where_an_entry_is_read_from_a_pickle() -> None:
    """Another process may have other code: what it does must not be stored under the key of this one."""
    assert CHANGED.preimage() and CHANGED.label()
    copy = pickle.loads(pickle.dumps(CHANGED))
    assert copy == CHANGED
    assert "_preimage" in vars(CHANGED)
    assert set(vars(copy)) == set(Outer.model_fields)


def test_a_key_holds_what_was_chosen_at_any_depth_and_no_units_left_open() -> None:
    preimage = CHANGED.preimage()
    assert preimage["blur"]["radius"] == 2.0
    assert preimage["inner"]["count"] == 4
    assert preimage["to"] == {"epoch": 2}
    assert preimage["at"] == {"step": 5, "schedule": "restart"}
    assert preimage["length"] == {"steps": 7}
    assert preimage["budget"] == [0.5, {"epochs": 3}]
    assert preimage["moments"] == [{"step": 1}, {"epoch": 1}]
    assert canonical(CHANGED) == canonical(preimage)


@pytest.mark.parametrize("other", [{"inner": Inner(rate=0.25)}, {"blur": Blur(kernel=(1,))}, {"to": Moment(step=2)}])
def test_entries_that_differ_only_inside_have_different_keys(other: dict[str, Any]) -> None:
    assert canonical(Outer(**other)) != canonical(Outer())
    assert Outer(**other) != Outer()


def test_a_grown_parameter_is_absent_from_keys_where_it_means_what_older_entries_meant() -> None:
    assert "later" not in Outer().preimage()
    assert CHANGED.preimage()["later"] == 1.5


@pytest.mark.parametrize(("value", "present"), [(0, True), (0.0, True), (False, False), (True, True)])
def test_absent_values_are_compared_as_they_are_written(value: Any, present: bool) -> None:
    class Grown(Entry):
        name: ClassVar[str] = "grown"
        summary: ClassVar[str] = ""

        flag: Annotated[Any, Absent(value=False)] = True

    assert ("flag" in Grown(flag=value).preimage()) is present


def test_a_negative_zero_is_zero_at_any_depth(register: Register) -> None:
    register("augmentations", blur="unit.catalog.plugins:Blur")
    assert cell(Blur(radius=-0.0).parameters()) == "{ radius = 0.0, kernel = [1, 2, 1] }"
    outer = Outer.model_validate({"blur": {"name": "blur", "radius": -0.0}, "inner": {"rate": -0.0}, "later": -0.0})
    assert "-0" not in canonical(outer) + cell(outer.parameters())


def test_whole_numbers_of_a_float_have_one_key() -> None:
    assert canonical(Blur(radius=1)) == canonical(Blur(radius=1.0))


def test_what_is_written_is_what_was_changed() -> None:
    assert Outer().written() == "outer"
    assert Outer().changed() == {}
    assert Outer().label() == "outer"
    assert CHANGED.written() == {
        "name": "outer",
        "blur": {"name": "blur", "radius": 2.0},
        "inner": {"name": "inner", "count": 4},
        "to": {"epoch": 2},
        "at": {"step": 5, "schedule": "restart"},
        "length": {"steps": 7},
        "budget": [0.5, {"epochs": 3}],
        "moments": [{"step": 1}, {"epoch": 1}],
        "later": 1.5,
    }


def test_a_parameter_that_must_be_given_is_always_written() -> None:
    assert Needy(side=3).written() == {"name": "needy", "side": 3}
    assert Needy(side=3).label() == "needy(side=3)"


def test_every_parameter_with_a_value_is_listed() -> None:
    assert Outer().parameters() == {
        "blur": "blur",
        "inner": "inner",
        "to": "end",
        "at": "init",
        "budget": [1.0],
        "moments": [],
        "later": 0.0,
    }


def test_what_an_entry_gives_can_be_changed_and_the_entry_stays() -> None:
    entry = Outer(blur=Blur(radius=2.0))
    for plain in (entry.parameters(), entry.changed(), entry.written()):
        assert isinstance(plain, dict)
        plain.clear()
    assert entry.written() == {"name": "outer", "blur": {"name": "blur", "radius": 2.0}}
    assert entry.parameters().keys() > entry.changed().keys() == {"blur"}


def test_a_label_is_the_cell_in_words() -> None:
    for entry in (Outer(), Outer(blur=Blur(radius=2.0)), Outer(to=Moment(epoch=2), budget=(0.5, Length(steps=3)))):
        assert entry.label() == words(cell(entry.written()))


def test_a_label_shows_what_is_inside() -> None:
    assert Outer(blur=Blur(radius=2.0), to=Moment(epoch=2)).label() == "outer(blur=blur(radius=2.0), to=epoch 2)"


@given(
    st.floats(0, 10),
    st.lists(st.integers(), max_size=3),
    st.sampled_from(["init", "end", {"epoch": 3}, {"step": 9, "schedule": "restart"}]),
    st.none() | st.integers(1, 9).map(lambda steps: {"steps": steps}),
)
def test_a_cell_of_an_entry_is_read_back_as_the_same_entry(
    radius: float, kernel: list[int], at: Any, length: Any
) -> None:
    blur = {"name": "blur", "radius": radius, "kernel": kernel}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prunectl.catalog.lookup.places", lambda catalog: {"blur": "unit.catalog.plugins:Blur"})
        patch.setattr("prunectl.catalog.section.names", lambda catalog: ["blur"])
        entry = Outer.model_validate({"blur": blur, "at": at, "length": length})
        written = parsed(cell(entry.written()))
        parameters = {key: value for key, value in written.items() if key != "name"} if written != "outer" else {}
        again = Outer.model_validate(parameters)
    assert again == entry
    assert canonical(again) == canonical(entry)


def test_an_entry_is_frozen_hashable_and_refuses_what_it_does_not_know() -> None:
    assert len({Outer(), Outer(), CHANGED}) == 2
    with pytest.raises(ValidationError):
        CHANGED.later = 2.0
    with pytest.raises(ValidationError, match="unknown key; allowed here: rate, count"):
        Inner.model_validate({"rates": 1.0})


def test_everything_wrong_with_an_entry_is_found_at_once(register: Register) -> None:
    register("augmentations", blur="unit.catalog.plugins:Blur")
    table = {
        "blur": {"name": "blur", "radius": 11, "kernels": 1},
        "inner": {"rate": "0.5", "count": 1.5},
        "to": {"epoch": 1, "step": 2},
        "budget": [0.5, 101, {"epoch": 1}, 0.5],
        "late": 1,
    }
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(table)
    assert {problem.key for problem in problems_of(caught.value, table)} == {
        "blur.radius",
        "blur.kernels",
        "inner.rate",
        "inner.count",
        "to.step",
        "budget[1]",
        "budget[2]",
        "budget[2].epoch",
        "late",
    }


def test_an_entry_named_by_a_study_is_its_own_kind(register: Register) -> None:
    register("augmentations", blur="unit.catalog.plugins:Blur")
    assert resolve("augmentations", {"name": "blur", "radius": 2}) == Blur(radius=2.0)
    assert Outer.model_validate({"blur": "blur"}) == Outer()
