"""How sparsities are reached: targets counted from the end, levels counted from what is left."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunectl.base.errors import PrunectlError
from prunectl.catalog.lookup import names, read_entry
from prunectl.catalog.rounds import Rounds
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.criteria.synflow import SynFlow
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.rounds.iterative import Iterative
from prunectl.pruning.rounds.linear import Linear
from prunectl.pruning.rounds.one_shot import OneShot

WRITTEN: dict[str, dict[str, Any]] = {
    "exponential": {"name": "exponential", "count": 7},
    "linear": {"name": "linear", "count": 7},
    "gradual": {"name": "gradual", "to": {"epoch": 3}},
}


@pytest.mark.parametrize("name", names("rounds"))
@given(sparsity=st.floats(0, 0.999))
def test_every_kind_ends_exactly_at_its_target(name: str, sparsity: float) -> None:
    rounds = read_entry("rounds", WRITTEN.get(name, name), Rounds)
    targets = rounds.targets(sparsity)
    assert targets[-1] == sparsity
    assert targets == sorted(targets)
    assert rounds.retrains or list(rounds.levels(0.0, sparsity)) == []


def test_at_once_means_one_target() -> None:
    """So that the scores are shared by all sparsities."""
    assert OneShot().targets(0.9) == Iterative(rate=0.2).targets(0.9) == [0.9]


def test_densities_fall_in_equal_ratios_or_in_equal_steps() -> None:
    """Tanaka et al. (2020), Algorithm 1: keep^(k/n) after round k."""
    assert Exponential(count=2).targets(0.75) == [0.5, 0.75]
    assert Linear(count=3).targets(0.75) == pytest.approx([0.25, 0.5, 0.75], abs=1e-15)
    assert Exponential(count=1).targets(0.75) == Linear(count=1).targets(0.75) == [0.75]


def test_levels_remove_a_rate_of_what_is_left() -> None:
    levels = list(Iterative(rate=0.2).levels(0.0, 0.6))
    assert levels == pytest.approx([0.2, 0.36, 0.488, 0.5904])
    assert list(Iterative(rate=0.2).levels(levels[1], 0.6)) == levels[2:]
    assert list(Iterative().levels(0.0, 0.6)) == []


def test_a_level_that_the_sweep_has_is_not_passed_twice() -> None:
    """1 − 0.8³ computed in two ways differs in the last bits."""
    assert list(Iterative(rate=0.2).levels(1 - 0.8**2, 1 - 0.8**3)) == []


@pytest.mark.parametrize(("rate", "says"), [(None, []), (0.2, []), (0.3, ["each level removes 0.3 here, but 0.2"])])
def test_a_rate_must_be_that_of_the_sweeps_levels(rate: float | None, says: list[str]) -> None:
    found = list(Iterative(rate=rate).problems(0.2))
    assert [place for place, _ in found] == [("rate",)] * len(says)
    assert all(message.startswith(said) for (_, message), said in zip(found, says, strict=True))
    assert list(Exponential(count=2).problems(0.2)) == []


def test_a_criterion_writes_its_rounds_as_a_study_would() -> None:
    assert Magnitude().own_rounds() == OneShot()
    assert SynFlow().own_rounds() == Exponential(count=100)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("exponental", "no 'exponental' among the rounds"),
        ("exponential", "does not take {}: count"),
        ({"name": "linear", "count": "3"}, "count: must be a whole number"),
        ({"count": 3}, "no '' among the rounds"),
        ("iterative", "'magnitude' of the criteria is defined with rounds that retrain, iterative"),
        ("rigl", "'magnitude' of the criteria is defined with rounds that prune during training, rigl"),
    ],
)
def test_rounds_that_cannot_be_read_are_an_error_of_the_criterion(written: object, says: str) -> None:
    broken = type("Broken", (Magnitude,), {"rounds": written})()
    with pytest.raises(PrunectlError) as caught:
        broken.own_rounds()
    assert says in caught.value.message
