"""Small plans for tests, and what to look up in them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from prunectl.plan.build import build
from prunectl.plan.graph import Plan, Trial
from prunectl.plan.steps import Train
from prunectl.study.load import validate

DATA = "f" * 64
BASE: dict[str, Any] = {
    "name": "t",
    "data": {"name": "digits", "train_limit": 1000},
    "model": {"name": "tiny-cnn"},
    "train": {"epochs": 10, "batch_size": 100, "lr": 0.1},
    "sweep": {"sparsities": [0.0, 0.5, 0.9], "seeds": [1, 2]},
}
END = {"criterion": "magnitude", "at": "end"}


def plan(*arms: dict[str, Any], **changed: Any) -> Plan:
    """The plan of a study with these [[prune]] tables: 1,000 digits, 10 steps an epoch, 10 epochs, two seeds."""
    study, problems = validate({**BASE, "prune": list(arms), **changed})
    assert study is not None and not problems, problems
    return build(study, study.data.dataset.declared(DATA))


def kinds(planned: Plan) -> Counter[str]:
    """How many steps of each kind."""
    return Counter(step.kind for step in planned.steps.values())


def trial(planned: Plan, sparsity: float = 0.5, seed: int = 1, **selector: Any) -> Trial:
    """The one trial at a sparsity with a seed whose arm a selector means."""
    (chosen,) = (
        each for each in planned.trials if (each.sparsity, each.seed) == (sparsity, seed) and each.arm.matches(selector)
    )
    return chosen


def trained(planned: Plan, chosen: Trial) -> Train:
    """The training that ends in a trial's network."""
    step = planned.steps[chosen.state]
    assert isinstance(step, Train)
    return step


def cells(planned: Plan, column: str) -> list[str | None]:
    """What the arms have in a column, each once."""
    return list(dict.fromkeys(each.arm.columns()[column] for each in planned.trials))
