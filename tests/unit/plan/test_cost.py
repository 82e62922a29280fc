"""Training steps with and without sharing, and time estimated from earlier steps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning import BASE, kinds, plan
from prunectl.plan.cost import Past, estimate, training_steps
from prunectl.plan.graph import Plan
from prunectl.plan.only import only
from prunectl.plan.steps import Train, preimage


def test_an_estimate_needs_something_to_go_by() -> None:
    planned = plan({"criterion": "snip"})
    assert estimate(planned, list(planned.steps), []) is None
    known = [
        Past(preimage=preimage(step), wall_s=2.0 if step.kind == "train" else 0.5) for step in planned.steps.values()
    ]
    seconds = estimate(planned, list(planned.steps), known)
    trainings = kinds(planned)["train"]
    assert seconds == pytest.approx(2.0 * trainings + 0.5 * (len(planned.steps) - trainings))


def test_an_estimate_counts_images_from_where_a_training_was_taken_up() -> None:
    """A training's time is what its own part took, and the time goes with the images, not with the steps."""
    arms = (
        {"criterion": "magnitude", "at": {"epoch": 3}},
        {"criterion": "magnitude", "at": "end", "retrain": "finetune"},
    )
    planned = plan(*arms)
    per_image = 0.01

    def past(plan: Plan) -> list[Past]:
        done = []
        for key, step in plan.steps.items():
            wall_s, earlier = 0.0, None
            if isinstance(step, Train):
                earlier = plan.follows.get(key)
                begun = plan.steps[earlier] if earlier else None
                steps = step.to_step - (begun.to_step if isinstance(begun, Train) else step.first_step)
                wall_s = steps * step.recipe.batch_size * per_image
            done.append(Past(preimage=preimage(step), wall_s=wall_s, resume=earlier or ""))
        return done

    known = past(planned)
    assert any(one.resume for one in known)
    assert estimate(planned, list(planned.steps), known) == pytest.approx(sum(one.wall_s for one in known))
    other = plan(*arms, train={**BASE["train"], "batch_size": 50})
    assert estimate(other, list(other.steps), known) == pytest.approx(sum(one.wall_s for one in past(other)))
    # Where what it was taken up from is gone, its time is of nobody knows how many steps.
    orphans = [one for one in known if json.loads(one.preimage)["kind"] != "train" or one.resume]
    assert estimate(planned, list(planned.steps), orphans) is None


@given(st.sampled_from(["init", "end", {"epoch": 2}]), st.sampled_from(["none", "lr-rewind"]))
@settings(deadline=None)
def test_sharing_never_costs(at: Any, retrain: str) -> None:
    """Nor in a part of a study without the trial that is the baseline itself."""
    whole = plan({"criterion": ["magnitude", "snip"], "at": at, "retrain": retrain if at == "end" else "none"})
    for part in (whole, only(whole, ["sparsity=0.9"]), only(whole, ["criterion=snip,sparsity=0.5,seed=1"])):
        steps = training_steps(part)
        assert steps["training_steps"] <= steps["training_steps_unshared"]
