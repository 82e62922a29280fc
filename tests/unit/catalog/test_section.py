"""Tables that name an entry: the name itself, its parameters, and the keys next to them."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from prunectl.base.errors import Problem
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.lookup import names
from prunectl.catalog.model import Model
from prunectl.catalog.problems import problems_of
from prunectl.catalog.section import FlatSection, named, resolve
from prunectl.catalog.values import Count
from prunectl.models.resnet import ResNet20
from unit.catalog.conftest import Register


class Flat(FlatSection):
    entry_field: ClassVar[str] = "model"
    catalog: ClassVar[str] = "models"

    model: Model
    limit: Count | None = None


def refused(call: Any, *given: Any) -> dict[str, Problem]:
    """The problems of what a call refuses, by key; the last argument is the value that they are in."""
    with pytest.raises(ValidationError) as caught:
        call(*given)
    return {problem.key: problem for problem in problems_of(caught.value, given[-1])}


def criterion(table: dict[str, Any]) -> dict[str, Problem]:
    return refused(resolve, "criteria", table)


def test_an_entry_stands_for_itself() -> None:
    snip = named("criteria", "snip")
    assert isinstance(snip, Criterion)
    assert named("criteria", snip) is snip


@pytest.mark.parametrize(
    ("value", "told"), [(3, "3"), (True, "true"), ([], "an empty list"), (None, "the NoneType None")]
)
def test_what_is_neither_a_name_nor_a_table_is_refused(value: Any, told: str) -> None:
    (problem,) = refused(named, "criteria", value).values()
    listed = ", ".join(names("criteria"))
    assert problem.message == f"must be the name of a criterion, or a table with a name, not {told}: {listed}"


def test_a_table_without_a_name_is_answered_with_every_name() -> None:
    found = criterion({"samples_per_class": 3})
    assert list(found) == ["name"]
    assert found["name"].message == f"missing: must be the name of a criterion: {', '.join(names('criteria'))}"


@pytest.mark.parametrize("key", ["kind", "type", "criterion", "method"])
def test_a_name_under_another_key_is_told_and_its_parameters_are_checked(key: str) -> None:
    found = criterion({key: "snip", "samples_per_class": 0})
    assert set(found) == {key, "samples_per_class"}
    assert found[key].message == "unknown key; the key for the name of a criterion is name"
    assert found[key].hint == 'did you mean "name"?'


def test_a_word_that_is_no_criterion_is_not_taken_for_the_name() -> None:
    assert list(criterion({"wrt": "weight"})) == ["name"]


def test_a_misspelt_name_is_told_with_what_is_wrong_with_the_parameters_of_the_nearest() -> None:
    found = criterion({"name": "snipp", "samples_per_class": 0, "samples": 3})
    assert set(found) == {"name", "samples_per_class", "samples"}
    assert found["name"].message.startswith('there is no criterion "snipp"; there are ')
    assert found["name"].hint == 'did you mean "snip"?'


def test_parameters_of_a_name_like_no_other_are_not_judged() -> None:
    assert {key: problem.hint for key, problem in criterion({"name": "qqqqqqqq", "samples": 3}).items()} == {
        "name": None
    }


def test_a_name_that_is_no_text_is_refused() -> None:
    assert criterion({"name": 3})["name"].message.startswith("must be the name of a criterion, not 3: ")


def test_a_plug_in_that_cannot_be_imported_is_told_at_its_name(register: Register) -> None:
    register("augmentations", bad="unit.catalog.raising:Bad")
    found = refused(resolve, "augmentations", {"name": "bad", "radius": 3})
    assert list(found) == ["name"]
    assert "cannot be imported from unit.catalog.raising:Bad" in found["name"].message
    assert found["name"].hint == "fix or uninstall the package that registers it"


def test_a_flat_table_holds_the_entry_s_parameters_next_to_its_own_keys() -> None:
    read = Flat.model_validate({"name": "resnet-20", "shortcut": "projection", "limit": 3})
    assert read == Flat(model=ResNet20(shortcut="projection"), limit=3)
    assert Flat.own() == ["name", "limit"]


def test_everything_wrong_with_either_half_is_told_at_once() -> None:
    found = refused(Flat.model_validate, {"name": "resnet-20", "shortcut": "none", "limit": 0, "limits": 1})
    assert set(found) == {"shortcut", "limit", "limits"}
    assert found["limits"].message == "unknown key; allowed here: bn_momentum, shortcut, name, limit"
    assert found["limits"].hint == 'did you mean "limit"?'


def test_own_keys_are_checked_although_the_entry_is_unknown() -> None:
    assert set(refused(Flat.model_validate, {"name": "qqqqqqqq", "limit": 0})) == {"name", "limit"}


def test_the_field_of_the_entry_is_no_key_of_the_file() -> None:
    found = refused(Flat.model_validate, {"model": "resnet-20"})
    assert found["model"].message == "unknown key; the key for the name of a model is name"
