"""Why a step is new."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planning import BASE, plan
from prunectl.plan.changes import MOST, changes, difference, flat
from prunectl.plan.graph import Plan
from prunectl.plan.steps import preimage


def test_a_change_is_told_against_the_nearest_thing_there_is() -> None:
    planned, stored = plan({"criterion": "snip"}), plan({"criterion": "snip"}, train={**BASE["train"], "lr": 0.2})
    told = changes(planned, list(planned.steps), [preimage(step) for step in stored.steps.values()])
    assert "train: recipe.lr 0.2 → 0.1" in told


def told(stored: Plan, **changed: Any) -> list[str]:
    """The changes of a study of SNIP against the steps of another."""
    planned = plan({"criterion": "snip"}, **changed)
    return changes(planned, list(planned.steps), [preimage(step) for step in stored.steps.values()])


def test_a_first_study_has_nothing_to_be_told_against() -> None:
    planned = plan({"criterion": "snip"})
    assert changes(planned, list(planned.steps), []) == []


def test_a_kind_is_told_once_however_many_of_its_steps_are_new() -> None:
    lines = told(plan({"criterion": "snip"}), train={**BASE["train"], "lr": 0.2})
    assert [line for line in lines if line.startswith("train:")] == ["train: recipe.lr 0.1 → 0.2"]


def test_a_step_whose_own_settings_are_stored_starts_from_something_new() -> None:
    """The same rates and seeds, but of other scores."""
    lines = told(plan({"criterion": "magnitude"}))
    assert "prune: starts from something new" in lines


def test_of_several_stored_steps_the_one_with_the_fewest_differences_is_told() -> None:
    far = plan({"criterion": "snip"}, train={"epochs": 20, "batch_size": 50, "lr": 0.3})
    near = plan({"criterion": "snip"}, train={**BASE["train"], "weight_decay": 0.01})
    stored = [preimage(step) for each in (far, near) for step in each.steps.values()]
    planned = plan({"criterion": "snip"})
    (line,) = (line for line in changes(planned, list(planned.steps), stored) if line.startswith("train:"))
    assert line.startswith("train: recipe.")
    assert "weight_decay 0.01 → " in line
    assert "recipe.lr" not in line


@pytest.mark.parametrize(("count", "lines"), [(MOST, 1), (MOST + 1, 0)])
def test_more_than_four_differences_are_another_study(count: int, lines: int) -> None:
    planned = plan({"criterion": "snip"})
    init = next(key for key, step in planned.steps.items() if step.kind == "init")
    stored = json.loads(preimage(planned.steps[init])) | {f"extra{number}": number for number in range(count)}
    assert len(changes(planned, [init], [json.dumps(stored)])) == lines


def test_tables_are_flat_and_lists_stay_whole() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": [1, {"e": 2}]}, "f": None}) == {"a.b.c": 1, "a.d": [1, {"e": 2}], "f": None}


def test_a_key_that_only_one_has_differs_from_nothing() -> None:
    found = difference({"a": 1, "new": 2, "start": "x"}, {"a": 1, "old": 3, "start": "y"}, {"start"})
    assert found == ["old 3 → nothing", "new nothing → 2"]
