"""`--only`: which trials a selector means, and what is suggested where it means none or too many."""

from __future__ import annotations

import pytest

from planning import END, plan
from prunectl.base.errors import StudyError
from prunectl.plan.only import narrowed, only

SNIP = [{"criterion": ["snip", {"name": "snip", "samples_per_class": 5, "wrt": "weight"}, "magnitude"]}]


def test_a_comma_means_and_and_several_selectors_mean_or() -> None:
    planned = plan({"criterion": ["snip", "magnitude"], "ablation": ["none", "shuffle"]})
    assert len(only(planned, ["criterion=snip,sparsity=0.9"]).trials) == 4
    assert len(only(planned, ["seed=2,ablation=shuffle"]).trials) == 6
    assert len(only(planned, ["criterion=snip,sparsity=0.9", "seed=2,ablation=shuffle"]).trials) == 9
    assert only(planned, []) == planned


def test_trials_stay_in_the_order_of_the_plan() -> None:
    planned = plan({"criterion": ["snip", "magnitude"]})
    chosen = only(planned, ["criterion=magnitude", "criterion=snip"]).trials
    assert chosen == planned.trials


def test_a_seed_is_not_taken_for_one_that_is_close() -> None:
    planned = plan({"criterion": "snip"}, sweep={"sparsities": [0.5], "seeds": [12345, 12346]})
    assert [trial.seed for trial in only(planned, ["seed=12345"]).trials] == [12345]


def test_a_name_means_every_choice_of_parameters_and_a_table_its_own() -> None:
    planned = plan(*SNIP, sweep={"sparsities": [0.5], "seeds": 1})
    assert len(only(planned, ["criterion=snip"]).trials) == 2
    for selector in ('criterion={name="snip",wrt="weight"}', "criterion={ wrt = 'weight' }"):
        (chosen,) = only(planned, [selector]).trials
        assert chosen.arm.criterion.label() == "snip(samples_per_class=5, wrt=weight)"
    (chosen,) = only(planned, ['criterion={name="snip",samples_per_class=10}']).trials
    assert chosen.arm.label == "snip · at init"


def test_a_rate_per_layer_is_picked_by_its_table() -> None:
    rates = {"name": "rates", "per_layer": {"conv1": 0.5, "conv2": 1.0}}
    planned = plan({"criterion": "magnitude", "scope": ["global", rates]}, sweep={"sparsities": [0.5], "seeds": 1})
    selector = 'scope={name="rates",per_layer={conv2=1.0,conv1=0.5}}'
    assert [trial.arm.scope.name for trial in only(planned, [selector]).trials] == ["rates"]


def test_an_unknown_field_and_a_value_without_a_trial_are_refused() -> None:
    planned = plan({"criterion": "snip"})
    with pytest.raises(StudyError, match="no condition") as unknown:
        only(planned, ["creterion=snip"])
    assert unknown.value.hint == "did you mean criterion=...?"
    with pytest.raises(StudyError, match="no trial has criterion=grasp") as missing:
        only(planned, ["criterion=grasp"])
    assert missing.value.hint == "criterion is one of snip"
    with pytest.raises(StudyError, match="asks for nothing"):
        only(planned, [" , "])


def test_a_selector_without_a_trial_is_refused_next_to_one_that_has_some() -> None:
    with pytest.raises(StudyError, match="no trial has seed=3"):
        only(plan({"criterion": "snip"}), ["seed=1", "seed=3"])


def test_what_is_suggested_means_one_network() -> None:
    planned = plan(
        *SNIP,
        {**END, "retrain": ["finetune", {"name": "finetune", "epochs": 2}, "weight-rewind"]},
        {**END, "retrain": [{"name": "weight-rewind", "to": "end"}, "none"]},
        {"criterion": "magnitude", "at": [{"epoch": 2}, {"epoch": 2, "schedule": "restart"}]},
    )
    for trial in planned.trials:
        assert only(planned, [narrowed(trial, planned.trials)]).trials == (trial,)


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    for misspelt, meant in {"criterion=magnitud": "criterion=magnitude", "criterion=snipp": "criterion=snip"}.items():
        with pytest.raises(StudyError) as caught:
            only(plan(*SNIP), [misspelt])
        assert (caught.value.hint or "").startswith(f"did you mean {meant}? criterion is one of ")
