"""Identity: pinned digests, and what may and may not change a key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunectl.base.keys import canonical, digest
from prunectl.base.rng import generator, seed_of
from prunectl.catalog.model import Model
from prunectl.plan.steps import IMPLIED, Ablate, Init, Key, Network, Step, key_of, parents, preimage
from prunectl.pruning.ablations.shuffle import Shuffle
from prunectl.pruning.structures.weights import Weights


class Thing(Model):
    """As if it were shipped: keys of prunectl's own entries hold no digest of code."""

    __module__ = "prunectl.models.thing"

    name = "thing"
    summary = "for tests"
    size: int = 3


NETWORK = Network(model=Thing(), init="kaiming-normal", bn_init="ones", shape=(1, 8, 8), classes=10)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_digests_are_pinned() -> None:
    """A change here changes every key in every store: it belongs in the changelog."""
    assert canonical({"b": 1.0, "a": [True, None, "é"]}) == '{"a":[true,null,"é"],"b":1.0}'
    assert preimage(Init(network=NETWORK, seed=1)) == (
        '{"draw":"init","kind":"init","network":{"bn_init":"ones","classes":10,"init":"kaiming-normal",'
        '"model":{"name":"thing","size":3,"version":1},"shape":[1,8,8]},"schema":2,"seed":1,"version":1}'
    )
    assert key_of(Init(network=NETWORK, seed=1)) == digest(preimage(Init(network=NETWORK, seed=1)))
    assert seed_of(1, "order", 57) == 328703207378572721


@given(JSON)
def test_canonical_text_is_one_per_value_and_comes_back(value: Any) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@pytest.mark.parametrize("value", [object(), Thing, Network, {1, 2}])
def test_what_has_no_text_cannot_be_part_of_a_key(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be part of a key"):
        canonical(value)


def test_what_changes_a_result_changes_the_key() -> None:
    step = Init(network=NETWORK, seed=1)
    others = [
        replace(step, seed=2),
        replace(step, draw="reinit"),
        replace(step, network=replace(NETWORK, init="orthogonal")),
        replace(step, network=replace(NETWORK, model=Thing(size=4))),
    ]
    assert len({key_of(other) for other in [step, *others]}) == 5


def test_a_version_changes_the_key() -> None:
    class Thing(Model):
        name = "thing"
        summary = "for tests"
        version = 2
        size: int = 3

    assert key_of(Init(network=replace(NETWORK, model=Thing()), seed=1)) != key_of(Init(network=NETWORK, seed=1))


def test_kinds_with_equal_fields_have_other_keys_and_name_their_parents() -> None:
    step = Ablate(network=NETWORK, structure=Weights(), ablation=Shuffle(), seed=1, mask=Key("f" * 64))
    assert parents(step) == {"mask": "f" * 64}
    assert json.loads(preimage(step))["kind"] == "ablate"


def test_what_json_does_not_know_has_no_key() -> None:
    with pytest.raises(TypeError):
        canonical({"a": object()})
    with pytest.raises(ValueError):
        canonical(float("nan"))


def test_draws_depend_on_purpose_and_place_alone() -> None:
    assert seed_of(1, "order", 2) != seed_of(1, "order", 3) != seed_of(1, "augment", 2)
    first, again = (generator(1, "order", 2).initial_seed() for _ in range(2))
    assert first == again


@dataclass(frozen=True, kw_only=True, slots=True)
class Shorter(Step):
    kind = "grown"
    size: int
    seed: int = field(default=1, metadata=IMPLIED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Grown(Step):
    kind = "grown"
    size: int
    seed: int = field(default=1, metadata=IMPLIED)
    extra: int | str = field(default="all", metadata={"absent": "all"})


def test_a_field_added_to_a_step_renames_nothing() -> None:
    """Where it has the value that older steps meant, it is left out of the pre-image; everywhere else it is in."""
    assert preimage(Grown(size=3)) == preimage(Shorter(size=3))
    assert preimage(Grown(size=3)) == '{"kind":"grown","schema":2,"size":3,"version":1}'
    assert key_of(Grown(size=3)) == "54a82876e1c868a7c850855809dae41af2e2100c769af507cccf6d1c97f374be"
    assert key_of(Grown(size=3, extra=0)) != key_of(Grown(size=3))


def test_a_field_that_the_parents_imply_is_no_part_of_a_key() -> None:
    assert preimage(Grown(size=3, seed=7)) == preimage(Grown(size=3))
