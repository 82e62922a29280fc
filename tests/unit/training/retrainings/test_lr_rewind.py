"""Learning-rate rewinding: the weights stay, and the last part of the schedule is repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunectl.catalog.recipe import Stretch, stretched
from prunectl.catalog.retraining import After
from prunectl.catalog.values import FlopsBudget, Length
from prunectl.training.retrainings.lr_rewind import RateRewind
from unit.training.retrainings.dense import DENSE


@pytest.mark.parametrize(
    ("budget", "first"), [(None, 0), (1.0, 0), (0.25, 75), (Length(epochs=3), 70), (Length(steps=7), 93)]
)
def test_the_recipe_is_repeated_from_where_its_last_part_begins(budget: float | Length | None, first: int) -> None:
    assert RateRewind().after(DENSE, budget) == After(recipe=DENSE.recipe, first=first, keeps=True)
    fresh = RateRewind(optimizer_state="fresh").after(DENSE, budget)
    assert fresh == After(recipe=DENSE.recipe, first=first, keeps=False)


@given(st.integers(1, 100))
def test_it_takes_as_long_as_its_budget_with_the_weights_of_the_pruned_network(steps: int) -> None:
    for budget in (steps / 100, Length(steps=steps)):
        after = RateRewind().after(DENSE, budget)
        assert (after.steps, after.weights, after.keeps) == (steps, None, True)


@pytest.mark.parametrize("budget", [0.5, 1.0, Length(epochs=3)])
def test_a_budget_stays_what_it_is_and_is_the_whole_recipe_unless_given(budget: float | Length) -> None:
    assert RateRewind().own_length() is None
    assert RateRewind().settled(budget) == (RateRewind(), budget)
    assert RateRewind().settled(None) == (RateRewind(), 1.0)


@pytest.mark.parametrize("budget", [1.5, Length(epochs=15), Length(steps=150)])
def test_more_than_the_recipe_stretches_its_schedule(budget: float | Length) -> None:
    after = RateRewind().after(DENSE, budget)
    assert after == After(recipe=stretched(DENSE.recipe, 150), keeps=True)
    assert (after.first, after.steps) == (0, 150)


def test_a_budget_in_flops_waits_for_the_mask() -> None:
    after = RateRewind().after(DENSE, FlopsBudget(flops=True, cap=2))
    assert after == After(recipe=DENSE.recipe, keeps=True, stretch=Stretch(cap=2))


def test_it_is_repeated_as_often_as_asked_for() -> None:
    assert RateRewind(repeat=3).after(DENSE, 0.5).steps == 150
