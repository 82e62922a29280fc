"""Each layer alone: one dense network, one scoring, a step for each rate."""

from __future__ import annotations

import pytest

import planning
from planning import END
from prunectl.base.errors import StudyError
from prunectl.plan.sensitivity import alone
from prunectl.plan.steps import Score, Sensitivity, Train
from prunectl.pruning.criteria.filter_norm import L1Norm
from prunectl.pruning.criteria.obs import Obs
from prunectl.pruning.criteria.snip import Snip


def test_rates_share_the_dense_network_and_the_scores_of_the_study() -> None:
    plan = planning.plan(END)
    asked = alone(plan, (0.9, 0.5, 0.9))
    assert list(asked.by_rate) == [0.5, 0.9]
    steps = [asked.plan.steps[key] for key in asked.by_rate.values()]
    assert [step.rate for step in steps if isinstance(step, Sensitivity)] == [0.5, 0.9]
    states, scores = ({getattr(step, role) for step in steps} for role in ("state", "scores"))
    assert states == {planning.trial(plan).baseline} and len(scores) == 1
    assert scores <= set(plan.steps), "an arm at the end has scored the same network"
    assert asked.plan.asked == {*asked.by_rate.values(), asked.dense}
    needed = asked.plan.closure(asked.plan.asked)
    assert sum(isinstance(asked.plan.steps[key], Train) for key in needed) == 1
    assert asked.seed == 1


def test_a_criterion_of_its_own_scores_again_on_the_images_that_it_needs() -> None:
    plan = planning.plan(END)
    asked = alone(plan, (0.5,), Snip())
    (scores,) = (step for key, step in asked.plan.steps.items() if isinstance(step, Score) and key not in plan.steps)
    assert isinstance(scores, Score) and scores.criterion == Snip()
    assert scores.data is not None and scores.data.test_limit is None and scores.data.train_limit == 1000


@pytest.mark.parametrize(
    ("criterion", "message"),
    [(Obs(), "changes the weights that stay"), (L1Norm(), 'does not score structure = "weights"')],
)
def test_a_criterion_that_cannot_rank_a_layer_alone_is_refused(criterion: Obs | L1Norm, message: str) -> None:
    with pytest.raises(StudyError, match=message) as raised:
        alone(planning.plan(END), (0.5,), criterion)
    assert raised.value.hint is not None and "--criterion" in raised.value.hint
