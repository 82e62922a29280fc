"""Why a step is new."""

from __future__ import annotations

from planning import BASE, plan
from prunectl.plan.changes import changes
from prunectl.plan.steps import preimage


def test_a_change_is_told_against_the_nearest_thing_there_is() -> None:
    planned, stored = plan({"criterion": "snip"}), plan({"criterion": "snip"}, train={**BASE["train"], "lr": 0.2})
    told = changes(planned, list(planned.steps), [preimage(step) for step in stored.steps.values()])
    assert "train: recipe.lr 0.2 → 0.1" in told
