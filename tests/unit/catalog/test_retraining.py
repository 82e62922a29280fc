"""What every retraining inherits: one way to write its budget, and what follows for weights that are drawn again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prunectl.catalog.recipe import learning_rate
from prunectl.catalog.retraining import After, Retraining
from prunectl.catalog.values import Length
from prunectl.training.schedules.step import Step
from trainings import RECIPE
from unit.training.retrainings.dense import DENSE


class Plain(Retraining):
    name = "plain"
    summary = "takes a budget"


class Given(Retraining):
    name = "given"
    summary = "may have a length in a parameter"

    long: int | None = None

    def own_length(self) -> str | None:
        """`long`, if given."""
        return None if self.long is None else "long"


class Unbudgeted(Retraining):
    name = "unbudgeted"
    summary = "takes no time"
    budgeted = False


@pytest.mark.parametrize(
    ("entry", "budget", "settled"),
    [
        (Plain(), None, 1.0),
        (Plain(), 0.5, 0.5),
        (Plain(), Length(steps=3), Length(steps=3)),
        (Given(), None, 1.0),
        (Given(long=3), None, None),
        (Given(long=3), 0.5, None),
        (Unbudgeted(), None, None),
        (Unbudgeted(), 0.5, None),
    ],
)
def test_a_budget_is_the_whole_recipe_or_none_at_all(
    entry: Retraining, budget: float | Length | None, settled: float | Length | None
) -> None:
    assert entry.settled(budget) == (entry, settled)
    assert entry.settled(settled) == (entry, settled)


def test_what_is_trained_takes_the_rest_of_its_recipe() -> None:
    assert After().steps == 0
    assert After(recipe=RECIPE).steps == RECIPE.steps
    assert After(recipe=RECIPE, first=15).steps == RECIPE.steps - 15


def test_a_budget_of_the_whole_recipe_is_the_recipe() -> None:
    for budget in (None, 1.0, Length(steps=100)):
        assert After.whole(DENSE, budget) == After(recipe=DENSE.recipe)


def test_a_longer_budget_stretches_the_schedule() -> None:
    after = After.whole(replace(DENSE, recipe=RECIPE), 2.5)  # of 20, with milestones 10 and 15
    assert after == After(recipe=replace(RECIPE, steps=50, schedule=Step(milestones=(25, 38))))
    rates = [learning_rate(after.recipe or RECIPE, step) for step in (0, 24, 25, 37, 38, 49)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
