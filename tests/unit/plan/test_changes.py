"""Why a step is new."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planning import BASE, plan
from prunectl.catalog.entry import CODE
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


def of_other_code(stored: Plan, *names: str, code: str | None = "0" * 64) -> list[str]:
    """The pre-images of a plan as if entries of these names were a third party's, whose code was another one."""

    def changed(body: Any) -> Any:
        if isinstance(body, list):
            return [changed(item) for item in body]
        if not isinstance(body, dict):
            return body
        own = {CODE: code} if body.get("name") in names and code is not None else {}
        return {key: changed(value) for key, value in body.items() if key != CODE or not own} | own

    return [json.dumps(changed(json.loads(preimage(step)))) for step in stored.steps.values()]


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan in which the criterion, the optimizer and an augmentation are of somebody else's code."""
    code = {"Snip": "a" * 64, "Sgd": "b" * 64, "Flip": "c" * 64}
    monkeypatch.setattr("prunectl.catalog.entry.code_of", lambda kind: code.get(kind.__name__))
    return plan({"criterion": "snip"}, data={**BASE["data"], "augment": ["pad-crop", "flip"]})


def test_whose_code_has_changed_is_shown(theirs: Plan) -> None:
    lines = changes(theirs, list(theirs.steps), of_other_code(theirs, "snip"))
    assert lines[0] == "changed: the code of criterion snip"
    assert not [line for line in lines if line.startswith("score:")], "nothing else of it has changed"
    assert not [line for line in lines if "sha256" in line]


def test_code_that_is_used_in_a_list_and_in_several_kinds_of_step_is_shown_once(theirs: Plan) -> None:
    lines = changes(theirs, list(theirs.steps), of_other_code(theirs, "sgd", "flip"))
    assert sorted(line for line in lines if line.startswith("changed:")) == [
        "changed: the code of augment flip",
        "changed: the code of optimizer sgd",
    ]


def test_code_that_is_stored_under_any_step_has_not_changed(theirs: Plan) -> None:
    stored = [*of_other_code(theirs, "snip"), *of_other_code(theirs)]
    assert changes(theirs, list(theirs.steps), stored)[0] == "init: starts from something new"


def test_code_that_older_keys_did_not_hold_is_part_of_them_now(theirs: Plan) -> None:
    older = [text.replace(f', "{CODE}": "{"a" * 64}"', "") for text in of_other_code(theirs)]
    assert "the code of criterion snip is part of its keys now" in changes(theirs, list(theirs.steps), older)


def test_what_else_differs_is_shown_without_digests(theirs: Plan) -> None:
    stored = plan({"criterion": {"name": "snip", "batches": 2}}, data=BASE["data"])
    lines = changes(theirs, list(theirs.steps), of_other_code(stored, "snip"))
    assert "changed: the code of criterion snip" in lines
    assert "score: criterion.batches 2 → 1" in lines


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
