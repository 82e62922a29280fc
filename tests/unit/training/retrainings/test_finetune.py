"""Fine-tuning: its recipe is the dense one with the changes that are given, and a length of its own or a budget."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from prunectl.catalog.values import Length
from prunectl.training.optimizers.adam import Adam
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.retrainings.finetune import Finetune
from prunectl.training.schedules.constant import Constant
from prunectl.training.schedules.cosine import Cosine
from unit.training.retrainings.dense import DENSE


def test_it_trains_the_pruned_networks_own_weights_from_the_first_step() -> None:
    after = Finetune().after(DENSE, 1.0)
    assert (after.weights, after.first, after.keeps, after.recalibrates) == (None, 0, True, False)


def test_its_optimizer_goes_on_unless_it_is_to_be_fresh() -> None:
    """Renda et al. (2020), in their code, keep the momentum."""
    assert Finetune().after(DENSE, 1.0).keeps
    assert not Finetune(optimizer_state="fresh").after(DENSE, 1.0).keeps


def test_only_the_optimizer_that_kept_a_state_goes_on_with_it() -> None:
    assert not list(Finetune().unfit(Sgd()))
    assert not list(Finetune(optimizer=Sgd()).unfit(Sgd()))
    assert not list(Finetune(optimizer=Adam(), optimizer_state="fresh").unfit(Sgd()))
    for other in (Adam(), Sgd(momentum=0.5)):
        ((key, message),) = Finetune(optimizer=other).unfit(Sgd())
        assert key == "optimizer" and 'optimizer_state = "fresh"' in message


def test_without_parameters_it_is_the_recipe_at_a_small_constant_rate() -> None:
    assert Finetune().after(DENSE, 1.0).recipe == replace(DENSE.recipe, lr=0.001, schedule=Constant())


@pytest.mark.parametrize(
    ("parameters", "changes"),
    [
        ({"lr": 0.5}, {"lr": 0.5}),
        ({"optimizer": "adam"}, {"optimizer": Adam()}),
        ({"weight_decay": 0.0}, {"weight_decay": 0.0}),  # given, although it is 0
        ({"schedule": "cosine"}, {"schedule": Cosine()}),
        ({"batch_size": 50}, {"batch_size": 50, "steps_per_epoch": 20, "steps": 200}),
        ({"epochs": 3}, {"steps": 30}),
        ({"steps": 7}, {"steps": 7}),
        ({"epochs": 3, "batch_size": 50}, {"batch_size": 50, "steps_per_epoch": 20, "steps": 60}),
    ],
)
def test_each_parameter_changes_its_key_and_nothing_else(parameters: dict[str, Any], changes: dict[str, Any]) -> None:
    entry = Finetune.model_validate(parameters)
    _, budget = entry.settled(None)
    usual = replace(DENSE.recipe, lr=0.001, schedule=Constant())
    assert entry.after(DENSE, budget).recipe == replace(usual, **changes)


@pytest.mark.parametrize(
    ("budget", "steps"),
    [(0.25, 50), (1.0, 200), (Length(epochs=2), 40), (Length(steps=7), 7), (Length(epochs=30), 600)],
)
def test_a_budget_is_a_part_of_its_own_recipe_or_a_length_and_may_exceed_it(budget: float | Length, steps: int) -> None:
    after = Finetune(batch_size=50).after(DENSE, budget)
    assert (after.steps, after.first) == (steps, 0)


@pytest.mark.parametrize(
    ("entry", "key"),
    [(Finetune(), None), (Finetune(lr=0.1), None), (Finetune(epochs=3), "epochs"), (Finetune(steps=3), "steps")],
)
def test_a_length_of_its_own_leaves_no_budget(entry: Finetune, key: str | None) -> None:
    assert entry.own_length() == key
    assert entry.settled(None) == (entry, 1.0 if key is None else None)


def test_a_budget_stays_what_it_is() -> None:
    assert Finetune().settled(0.5) == (Finetune(), 0.5)
    assert Finetune().settled(Length(epochs=3)) == (Finetune(), Length(epochs=3))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"epochs": 3, "steps": 3}, "cannot be combined with epochs"),
        ({"epochs": 0}, "at least 1"),
        ({"lr": 0}, "more than 0"),
        ({"budget": 0.5}, "unknown key"),
        ({"optimizer": "sdg"}, "there is no optimizer"),
        ({"schedule": "step"}, "missing: must be"),
    ],
)
def test_what_it_does_not_take_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Finetune.model_validate(table)


def test_its_cell_has_what_was_given() -> None:
    assert Finetune(lr=0.01, optimizer=Adam(beta1=0.8)).written() == {
        "name": "finetune",
        "lr": 0.01,
        "optimizer": {"name": "adam", "beta1": 0.8},
    }
    assert Finetune(lr=0.001).written() == "finetune"
