"""Moments and recipes in steps."""

from __future__ import annotations

from typing import Any

import pytest

from planning import plan, trained, trial
from prunectl.plan.cost import training_steps
from prunectl.plan.steps import Init, Prune, Score, Train


@pytest.mark.parametrize(("at", "step"), [("init", 0), ({"step": 0}, 0), ({"epoch": 3}, 30), ({"step": 7}, 7)])
def test_a_moment_is_a_step_of_the_dense_training(at: Any, step: int) -> None:
    planned = plan({"criterion": "snip", "at": at})
    one = trial(planned)
    after = trained(planned, one)
    assert (after.first_step, after.to_step) == (step, 100)
    scores = planned.steps[one.plain_mask] if one.plain_mask else None
    assert isinstance(scores, Prune)
    scored = planned.steps[scores.scores]
    assert isinstance(scored, Score) and scored.state == after.start
    state = planned.steps[after.start]
    assert isinstance(state, Train if step else Init)
    assert after.optimizer == ("kept" if step else "fresh")


def test_step_zero_is_init_and_the_last_step_is_the_end() -> None:
    for moments in (["init", {"step": 0}], ["end", {"step": 100}, {"epoch": 10}]):
        states = {trial(plan({"criterion": "snip", "at": at})).state for at in moments}
        assert len(states) == 1


def test_the_moments_of_one_dense_training_are_taken_up_one_from_the_other() -> None:
    planned = plan({"criterion": "snip", "at": [{"epoch": 2}, {"epoch": 5}, "end"]}, sweep={"sparsities": [0.5]})
    chain = [planned.trials[0].baseline]
    while chain[-1] in planned.follows:
        chain.append(planned.follows[chain[-1]])
    stops = [step.to_step for step in (planned.steps[key] for key in chain) if isinstance(step, Train)]
    assert stops == [100, 50, 20]
    assert training_steps(planned)["training_steps"] == 100 + 80 + 50
