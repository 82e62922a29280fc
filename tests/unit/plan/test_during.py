"""Plans of arms that prune during training: what they share, what they cost, and which keys they leave alone."""

from __future__ import annotations

import pytest

from planning import END, cells, kinds, plan, trained, trial
from prunectl.base.errors import StudyError
from prunectl.catalog.values import Length, Moment
from prunectl.plan.cost import training_steps
from prunectl.plan.graph import Plan
from prunectl.plan.only import only
from prunectl.plan.steps import Train, preimage
from prunectl.pruning.rounds.gradual import Gradual

GRADUAL = {"name": "gradual", "from": {"epoch": 2}, "to": {"epoch": 8}, "every": {"epochs": 1}}
MOVING = {"criterion": "magnitude", "rounds": ["set", "rigl"]}


def scopes(planned: Plan) -> set[str]:
    """Those of the trainings that prune on the way."""
    return {step.during.scope.name for step in planned.steps.values() if isinstance(step, Train) and step.during}


def test_sparsities_share_the_dense_training_up_to_where_pruning_begins() -> None:
    planned = plan({"criterion": ["magnitude", "snip"], "rounds": GRADUAL})
    starts = {trained(planned, each).start for each in planned.trials if each.sparsity}
    assert len(starts) == 2, "one for each seed"
    dense = planned.steps[trained(planned, trial(planned, criterion="snip")).start]
    assert isinstance(dense, Train) and dense.to_step == 20 and dense.during is None
    # two seeds: the dense training of 100 steps, and 80 steps for two criteria at two sparsities
    assert training_steps(planned) == {"training_steps": 2 * (100 + 4 * 80), "training_steps_unshared": 2 * 6 * 100}
    assert kinds(planned) == {"init": 2, "train": 2 * (2 + 4), "measure": 2 * (1 + 4)}


def test_the_step_counts_in_steps_and_its_state_is_its_mask() -> None:
    planned = plan({"criterion": "snip", "rounds": GRADUAL})
    chosen = trial(planned)
    step = trained(planned, chosen)
    assert step.during is not None and chosen.mask == chosen.plain_mask == chosen.state
    assert (step.first_step, step.to_step, step.optimizer) == (20, 100, "kept")
    rounds = step.during.rounds
    assert isinstance(rounds, Gradual)
    assert (rounds.from_, rounds.to, rounds.every) == (Moment(step=20), Moment(step=80), Length(steps=10))
    assert '"from":{"step":20}' in preimage(step)
    assert planned.targets("prune") >= {chosen.state}


def test_equal_moments_in_other_units_are_one_training() -> None:
    in_steps = {"name": "gradual", "from": {"step": 20}, "to": {"step": 80}, "every": {"steps": 10}}
    one, other = (plan({"criterion": "snip", "rounds": way}) for way in (GRADUAL, in_steps))
    assert trial(one).state == trial(other).state


def test_masks_that_move_hold_from_the_first_step_and_spread_as_their_papers_do() -> None:
    planned = plan(MOVING)
    steps = {each.arm.rounds.name: trained(planned, each) for each in planned.trials if each.sparsity}
    assert {name: step.first_step for name, step in steps.items()} == {"set": 0, "rigl": 0}
    assert scopes(planned) == {"er", "erk"}
    assert scopes(plan({**MOVING, "scope": "uniform"})) == {"layerwise"}


def test_a_sparsity_of_zero_is_the_baseline() -> None:
    planned = plan(MOVING)
    assert all(each.state == each.baseline for each in planned.trials if each.sparsity == 0)


def test_such_an_arm_has_no_moment_and_a_label_without_one() -> None:
    planned = plan(MOVING, {"criterion": "magnitude", "rounds": GRADUAL}, END)
    assert cells(planned, "at") == [None, "end"]
    assert list(planned.arms) == [
        "magnitude · set",
        "magnitude · rigl",
        "magnitude · gradual(from=epoch 2, to=epoch 8, every=epochs 1)",
        "magnitude · at end",
    ]
    assert [each.arm.label for each in only(planned, ["at=end,seed=1,sparsity=0.5"]).trials] == ["magnitude · at end"]
    chosen = only(planned, ['rounds={name="gradual",from={epoch=2}},seed=1,sparsity=0.5'])
    assert [each.arm.rounds.name for each in chosen.trials] == ["gradual"]


def test_trainings_that_do_not_prune_keep_their_keys() -> None:
    planned = plan(END)
    assert all("during" not in preimage(step) for step in planned.steps.values())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"to": {"step": 101}}, "beyond the end of the training"),
        ({"from": {"epoch": 3}, "to": {"step": 30}}, "it ends at step 30, and begins at step 30"),
    ],
)
def test_moments_out_of_order_are_refused_once_they_are_known_in_steps(changed: dict[str, object], says: str) -> None:
    with pytest.raises(StudyError, match=says):
        plan({"criterion": "snip", "rounds": {**GRADUAL, **changed}})
