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


LABELLED = ({"criterion": "snip", "label": "SNIP, once", "ablation": ["none", "shuffle"]}, {"criterion": "magnitude"})


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        ('label="SNIP, once"', ["SNIP, once", "SNIP, once · shuffle"]),
        ('label="SNIP, once",ablation=none', ["SNIP, once"]),
        ('label="SNIP, once · shuffle"', ["SNIP, once · shuffle"]),
        ("label=magnitude · at init", ["magnitude · at init"]),
        ('label!="SNIP, once"', ["magnitude · at init"]),
    ],
)
def test_an_arm_is_selected_by_its_label_with_every_ablation_or_one(selector: str, labels: list[str]) -> None:
    planned = plan(*LABELLED, sweep={"sparsities": [0.5], "seeds": 1})
    assert [trial.arm.label for trial in only(planned, [selector]).trials] == labels


def test_a_label_that_reads_as_a_number_is_a_label() -> None:
    planned = plan({"criterion": "snip", "label": "2.0"}, {"criterion": "magnitude"})
    assert {trial.arm.label for trial in only(planned, ["label=2.0"]).trials} == {"2.0"}


def test_an_unknown_label_gives_the_nearest() -> None:
    planned = plan(*LABELLED)
    with pytest.raises(StudyError, match="no trial has label=SNIP once") as missing:
        only(planned, ["label=SNIP once"])
    labels = '"SNIP, once", "SNIP, once · shuffle", "magnitude · at init"'
    assert missing.value.hint == f'did you mean label="SNIP, once"? label is one of {labels}'
    with pytest.raises(StudyError, match="no condition") as unknown:
        only(planned, ["arm=SNIP"])
    assert unknown.value.hint == "an arm is selected by its label: label=SNIP"


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


@pytest.mark.parametrize(
    ("selector", "left"),
    [
        ("sparsity>0.5", {0.9}),
        ("sparsity>=0.5", {0.5, 0.9}),
        ("sparsity!=0", {0.5, 0.9}),
        ("sparsity<0.5", {0.0}),
        ("compression=10", {0.9}),
        ("compression<=2", {0.0, 0.5}),
        ("sparsity>0,compression<10", {0.5}),
    ],
)
def test_sparsities_are_picked_by_order_and_by_compression(selector: str, left: set[float]) -> None:
    chosen = only(plan({"criterion": "snip"}), [selector]).trials
    assert {trial.sparsity for trial in chosen} == left
    assert {trial.seed for trial in chosen} == {1, 2}


def test_a_plan_with_fewer_trials_keeps_every_step() -> None:
    planned = plan({"criterion": ["snip", "magnitude"]})
    fewer = only(planned, ["criterion=snip"])
    assert fewer.steps == planned.steps
    assert fewer.follows == planned.follows
    assert list(fewer.arms) == ["snip · at init"]


def test_what_is_suggested_instead_is_what_the_earlier_conditions_leave() -> None:
    planned = plan({"criterion": "snip"}, END)
    with pytest.raises(StudyError) as caught:
        only(planned, ["criterion=snip,at=end"])
    assert caught.value.hint == "at is one of init"


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("sparsity=0.7", "sparsity is one of 0, 0.5, 0.9"),
        ("compression>10", "compression is one of 1, 2, 10"),
        ("seed=7", "seed is one of 1, 2"),
        ("budget=0.5", "budget is one of not given"),
    ],
)
def test_numbers_without_a_trial_are_answered_with_those_that_have_some(selector: str, hint: str) -> None:
    with pytest.raises(StudyError) as caught:
        only(plan({"criterion": "snip"}), [selector])
    assert caught.value.hint == hint


def test_no_more_than_twenty_values_are_suggested() -> None:
    planned = plan({"criterion": "snip"}, sweep={"sparsities": [0.5], "seeds": 21})
    with pytest.raises(StudyError) as caught:
        only(planned, ["seed=99"])
    assert caught.value.hint == f"seed is one of {', '.join(map(str, range(1, 21)))}, ..."


def test_a_trial_among_its_like_is_told_by_what_they_differ_in() -> None:
    planned = plan({"criterion": ["snip", "magnitude"]})
    first = planned.trials[0]
    alike = [trial for trial in planned.trials if trial.arm == first.arm]
    assert narrowed(first, [first]) == ""
    assert narrowed(first, [trial for trial in alike if trial.sparsity == first.sparsity]) == "seed=1"
    assert narrowed(first, alike) == "sparsity=0,seed=1"
