"""Weight rewinding: where weights go back to, by a moment or by a budget."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prunectl.base.errors import StudyError
from prunectl.catalog.retraining import After
from prunectl.catalog.values import Length, Moment, When
from prunectl.training.retrainings.weight_rewind import WeightRewind
from unit.training.retrainings.dense import DENSE


@pytest.mark.parametrize(
    ("to", "step"), [("init", 0), ({"epoch": 0}, 0), ({"epoch": 2}, 20), ({"step": 7}, 7), ("end", 100)]
)
def test_weights_optimizer_and_schedule_go_back_to_the_moment(to: Any, step: int) -> None:
    entry, budget = WeightRewind.model_validate({"to": to}).settled(None)
    after = entry.after(DENSE, budget)
    assert after == After(weights=step, recipe=DENSE.recipe, first=step, keeps=step > 0)
    assert after.steps == 100 - step


@pytest.mark.parametrize(("budget", "step"), [(0.25, 75), (1.0, 0), (Length(epochs=3), 70), (Length(steps=100), 0)])
def test_a_budget_goes_back_to_where_the_last_part_of_the_recipe_begins(budget: float | Length, step: int) -> None:
    entry, settled = WeightRewind().settled(budget)
    assert entry.after(DENSE, settled) == After(weights=step, recipe=DENSE.recipe, first=step, keeps=step > 0)


@given(st.integers(1, 100))
def test_it_takes_as_long_as_its_budget(steps: int) -> None:
    for budget in (steps / 100, Length(steps=steps)):
        entry, settled = WeightRewind().settled(budget)
        assert entry.after(DENSE, settled).steps == steps


def test_to_the_start_and_the_whole_recipe_are_one_choice() -> None:
    whole = (WeightRewind(), 1.0)
    assert WeightRewind().settled(None) == WeightRewind(to="init").settled(None) == WeightRewind().settled(1.0) == whole


@pytest.mark.parametrize("budget", [None, 0.5, 1.0, Length(epochs=3)])
def test_a_fresh_optimizer_stays_one_however_the_length_is_written(budget: float | Length | None) -> None:
    entry, settled = WeightRewind(optimizer_state="fresh").settled(budget)
    assert not entry.after(DENSE, settled).keeps
    assert entry.written() == {"name": "weight-rewind", "optimizer_state": "fresh"}
    usual, same = WeightRewind().settled(budget)
    assert usual.after(DENSE, same) == replace(entry.after(DENSE, settled), keeps=budget not in (None, 1.0))


@pytest.mark.parametrize("budget", [0.5, Length(epochs=3)])
def test_a_budget_leaves_no_moment(budget: float | Length) -> None:
    assert WeightRewind().settled(budget) == (WeightRewind(to=None), budget)
    assert WeightRewind(to=None).written() == "weight-rewind"


@pytest.mark.parametrize("to", ["end", Moment(epoch=2)])
def test_a_moment_leaves_no_budget(to: When) -> None:
    entry = WeightRewind(to=to)
    assert entry.own_length() == "to"
    assert entry.settled(None) == (entry, None)


def test_only_a_moment_that_is_given_contradicts_a_budget() -> None:
    assert WeightRewind().own_length() is None
    assert WeightRewind(to="init").own_length() == "to"
    assert WeightRewind(to=None).own_length() is None


def test_it_cannot_go_back_further_than_the_start() -> None:
    with pytest.raises(StudyError, match="weight-rewind goes back by 101 steps, and the training has only 100"):
        WeightRewind(to=None).after(DENSE, Length(steps=101))


def test_it_cannot_go_back_to_a_moment_that_never_comes() -> None:
    with pytest.raises(StudyError, match="beyond the end"):
        WeightRewind(to=Moment(epoch=11)).after(DENSE, None)


@pytest.mark.parametrize("to", ["start", {"epoch": 2, "step": 20}, {"epoch": -1}, {"epoch": 2, "schedule": "restart"}])
def test_what_is_no_moment_is_refused(to: Any) -> None:
    with pytest.raises(ValidationError):
        WeightRewind.model_validate({"to": to})
