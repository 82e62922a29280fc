"""What the check before the first training is asked: from the plan alone, each thing once."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

from prunectl.plan.build import build
from prunectl.plan.only import only
from prunectl.plan.preflight import Preflight, preflight
from prunectl.study.load import validate

STUDY: dict[str, Any] = {
    "name": "t",
    "data": {"name": "digits"},
    "model": {"name": "tiny-cnn"},
    "train": {"epochs": 2, "lr": 0.1, "batch_size": 50},
    "sweep": {"sparsities": [0.0, 0.5, 0.9], "seeds": [1, 2]},
    "prune": [
        {"criterion": ["snip", "magnitude"], "ablation": ["none", "shuffle"]},
        {"criterion": "magnitude", "structure": ["weights", "channels"], "at": [{"epoch": 1}, "end"]},
    ],
    "prunable": {"exclude": ["head"]},
}


def asked(selector: str = "", **changed: Any) -> Preflight:
    study, problems = validate(STUDY | changed)
    assert study is not None and not problems, problems
    content = study.data.dataset.declared("f" * 64)
    plan = build(study, content)
    return preflight(study, only(plan, [selector]) if selector else plan, content)


def test_each_combination_is_asked_once_at_its_first_table() -> None:
    found = asked()
    assert [(each.criterion.name, each.structure.name, each.table) for each in found.asked] == [
        ("snip", "weights", 0),
        ("magnitude", "weights", 0),
        ("magnitude", "channels", 1),
    ]
    assert (len(found.networks), found.exclude) == (1, ("head",))


def test_only_the_trials_that_are_left_are_asked_about() -> None:
    assert [each.criterion.name for each in asked("criterion=snip").asked] == ["snip"]


def test_batch_sizes_that_leave_one_image() -> None:
    train = STUDY["train"]
    assert asked().leaves_one == ()
    assert asked(data={"name": "digits", "train_limit": 101}).leaves_one == (50,)
    assert asked(data={"name": "digits", "train_limit": 101}).train_size == 101
    assert asked(data={"name": "digits", "train_limit": 3}, train=train | {"batch_size": 1}).leaves_one == (1,)


def test_a_training_that_ends_before_the_last_batch_does_not_meet_it() -> None:
    train = {"steps": 2, "lr": 0.1, "batch_size": 50}
    arms = [{"criterion": "magnitude"}]
    data = {"name": "digits", "train_limit": 101}
    assert asked(data=data, train=train, prune=arms).leaves_one == ()
    assert asked(data=data, train=train | {"steps": 3}, prune=arms).leaves_one == (50,)


def test_it_can_be_sent_to_a_worker_and_compared() -> None:
    found = asked()
    assert pickle.loads(pickle.dumps(found)) == found
    assert dataclasses.replace(found, exclude=()) != found
