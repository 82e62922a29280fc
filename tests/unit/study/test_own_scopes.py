"""Criteria that are for some structures only, and the scope that each has where a study gives none."""

from __future__ import annotations

from typing import Any

import pytest

from planning import BASE, cells, plan
from prunectl.plan.steps import Train, preimage
from prunectl.study.load import validate

pytestmark = pytest.mark.usefixtures("real_catalogs")

CHANNELS = {"structure": "channels"}


def problems(**arm: Any) -> dict[str, str]:
    """What is wrong with a study of one table, by key, hints included."""
    _, wrong = validate({**BASE, "prune": [arm]})
    return {each.key: f"{each.message} ({each.hint})" for each in wrong}


@pytest.mark.parametrize("name", ["l1-norm", "l2-norm", "fpgm", "bn-scale", "taylor", "channel-activation"])
def test_a_criterion_of_channels_refuses_single_weights(name: str) -> None:
    wrong = problems(criterion=["magnitude", name], structure=["channels", "weights"])
    assert list(wrong) == ["prune[0].criterion[1]"]
    assert f'"{name}" does not score structure = "weights"' in wrong["prune[0].criterion[1]"]
    assert 'a [[prune]] table of its own with structure = "channels"' in wrong["prune[0].criterion[1]"]
    assert problems(criterion=["magnitude", name], **CHANNELS) == {}


def test_without_a_structure_the_default_is_refused_too() -> None:
    assert 'does not score structure = "weights"' in problems(criterion="fpgm")["prune[0].criterion"]


def test_a_scope_that_is_not_given_is_that_of_the_criterion() -> None:
    planned = plan({"criterion": ["magnitude", "l1-norm", "bn-scale"], **CHANNELS})
    scopes = {trial.arm.criterion.name: trial.arm.scope.name for trial in planned.trials}
    assert scopes == {"magnitude": "global", "l1-norm": "layerwise", "bn-scale": "global"}
    assert cells(planned, "scope") == ["global", "layerwise"]


def test_a_label_has_the_scope_only_where_it_is_not_the_criterions() -> None:
    planned = plan({"criterion": ["magnitude", "fpgm"], "scope": ["global", "layerwise"], **CHANNELS})
    assert list(planned.arms) == [
        "magnitude · at init · channels",
        "magnitude · at init · layerwise · channels",
        "fpgm · at init · global · channels",
        "fpgm · at init · channels",
    ]


def test_the_scope_of_a_criterion_given_and_left_out_is_one_arm() -> None:
    given = plan({"criterion": "fpgm", "scope": "layerwise", **CHANNELS})
    assert given.steps.keys() == plan({"criterion": "fpgm", **CHANNELS}).steps.keys()


def test_a_penalty_on_scales_is_in_the_key_of_a_training_only_where_there_is_one() -> None:
    arm = {"criterion": "bn-scale", "at": "end", "retrain": {"name": "finetune", "bn_l1": 0.0}, **CHANNELS}
    penalized = plan(arm, train={**BASE["train"], "bn_l1": 1e-4})
    plain, zero = plan(arm), plan(arm, train={**BASE["train"], "bn_l1": 0.0})
    assert plain.steps.keys() == zero.steps.keys() != penalized.steps.keys()
    trainings = [step for step in penalized.steps.values() if isinstance(step, Train)]
    assert {step.mask is None: step.recipe.bn_l1 for step in trainings} == {True: 1e-4, False: 0.0}
    assert not any('"bn_l1"' in preimage(step) for step in plain.steps.values() if isinstance(step, Train))
