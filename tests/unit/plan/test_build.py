"""The plan: sharing by construction, rounds and retraining, without disk or torch."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli import write_study
from planning import BASE, DATA, END, kinds, plan, trained, trial
from prunectl.base.errors import StudyError
from prunectl.catalog.lookup import working
from prunectl.catalog.metric import Metric
from prunectl.catalog.recipe import Stretch
from prunectl.plan.build import build
from prunectl.plan.graph import Plan
from prunectl.plan.steps import (
    Collapse,
    Init,
    Key,
    Measure,
    Network,
    Prune,
    PruneRounds,
    Recalibrate,
    Score,
    Train,
    key_of,
    parent_keys,
    parents,
)
from prunectl.study.load import load, validate
from prunectl.training.schedules.step import Step


@given(
    st.lists(st.sampled_from(["random", "magnitude", "snip", "synflow"]), min_size=1, max_size=4, unique=True),
    st.lists(st.sampled_from(["none", "shuffle", "reinit", "invert"]), min_size=1, max_size=4, unique=True),
    st.lists(st.sampled_from([0.0, 0.3, 0.6, 0.9, 0.98]), min_size=1, max_size=5, unique=True),
    st.lists(st.integers(0, 50), min_size=1, max_size=4, unique=True),
)
@settings(max_examples=40, deadline=None)
def test_any_study_has_one_dense_training_a_seed_and_a_complete_table(
    criteria: list[str], ablations: list[str], sparsities: list[float], seeds: list[int]
) -> None:
    planned = plan(
        {"criterion": criteria, "ablation": ablations}, sweep={"sparsities": sorted(sparsities), "seeds": seeds}
    )
    assert len(planned.trials) == len(criteria) * len(ablations) * len(sparsities) * len(seeds)
    dense = [step for step in planned.steps.values() if isinstance(step, Train) and step.mask is None]
    assert len(dense) == len(seeds)
    for key, step in planned.steps.items():
        assert key == key_of(step)
        assert all(parent in planned.steps for parent in parents(step).values())
        assert parent_keys(step) == list(parents(step).values())
    order = {key: place for place, key in enumerate(planned.steps)}
    assert all(order[parent] < order[key] for key, step in planned.steps.items() for parent in parents(step).values())


def test_sparsity_zero_is_the_baseline_of_every_arm() -> None:
    planned = plan(
        {"criterion": ["snip", "synflow"], "ablation": ["none", "reinit"]},
        {"criterion": "magnitude", "at": "end", "retrain": ["none", "lr-rewind"]},
    )
    for one in planned.trials:
        assert (one.sparsity == 0) == (one.state == one.baseline) or one.arm.retrain.name == "none"
        if one.sparsity == 0:
            assert (one.mask, one.measure) == (None, one.baseline_measure)


def test_one_shot_scores_serve_every_sparsity_scope_and_the_inversion() -> None:
    planned = plan({"criterion": "snip", "scope": ["global", "layerwise"], "ablation": ["none", "invert", "shuffle"]})
    assert kinds(planned)["score"] == 2  # one a seed
    assert kinds(planned)["prune"] == 2 * 2 * 2 * 2  # scopes × sparsities × plain and inverted × seeds


def test_a_shuffle_shares_the_mask_that_it_shuffles() -> None:
    planned = plan({"criterion": "snip", "ablation": ["none", "shuffle", "reinit"]})
    plain, shuffled, fresh = (trial(planned, ablation=name) for name in ("none", "shuffle", "reinit"))
    assert plain.mask == plain.plain_mask == shuffled.plain_mask == fresh.mask
    assert shuffled.mask != plain.mask
    start = planned.steps[trained(planned, fresh).start]
    assert isinstance(start, Init) and start.draw == "reinit"


WHOLE = {"epochs": 10, "batch_size": 100, "lr": 0.1}


@pytest.mark.parametrize(
    "arm",
    [
        {"criterion": "magnitude", "at": {"step": 30}},
        {"criterion": "magnitude", "at": {"step": 30, "schedule": "restart"}},
        {**END, "retrain": "lr-rewind"},
        {**END, "retrain": "weight-rewind"},
        {**END, "retrain": {"name": "weight-rewind", "to": {"epoch": 2}}},
        {**END, "retrain": {"name": "weight-rewind", "to": "end"}},
        {**END, "retrain": "lr-rewind", "budget": {"steps": 100}},
    ],
)
def test_weights_drawn_again_take_the_whole_recipe_wherever_they_are_pruned(arm: dict[str, Any]) -> None:
    """Frankle et al. (2021), Section 5, train the redrawn network from step 0, with a fresh optimizer."""
    planned = plan({**arm, "ablation": "reinit"})
    chosen = trial(planned)
    training = trained(planned, chosen)
    assert (training.first_step, training.to_step, training.optimizer) == (0, 100, "fresh")
    assert planned.steps[training.start] == Init(network=training.network, seed=1, draw="reinit")
    assert training.recipe.steps == 100


def test_both_rewindings_of_weights_drawn_again_are_one_training() -> None:
    both = [{"name": "weight-rewind", "to": {"epoch": 2}}, "weight-rewind", "lr-rewind"]
    planned = plan({**END, "retrain": both, "ablation": "reinit"})
    states = {trial.state for trial in planned.trials if (trial.sparsity, trial.seed) == (0.5, 1)}
    assert (len(planned.arms), len(states)) == (3, 1)


@pytest.mark.parametrize("budget", [2.5, {"epochs": 25}, {"steps": 250}])
def test_weights_drawn_again_are_trained_for_longer_with_a_stretched_schedule(budget: Any) -> None:
    train = {**WHOLE, "schedule": {"name": "step", "milestones": [4, 8], "warmup": 2}}
    planned = plan({**END, "retrain": "lr-rewind", "budget": budget, "ablation": "reinit"}, train=train)
    training = trained(planned, trial(planned))
    assert (training.first_step, training.to_step, training.recipe.steps) == (0, 250, 250)
    assert training.recipe.schedule == Step(milestones=(100, 200), warmup=50)
    assert trial(planned).placed.share == 2.5


def test_levels_of_an_ablated_chain_are_retrained_as_they_are_without_it() -> None:
    arm = {**END, "rounds": "iterative", "retrain": {"name": "weight-rewind", "to": {"epoch": 2}}}
    planned = plan({**arm, "ablation": ["none", "reinit"]})
    plain, fresh = (trained(planned, trial(planned, ablation=name)) for name in ("none", "reinit"))
    assert (plain.first_step, fresh.first_step) == (20, 0)
    later = trial(planned, 0.9, ablation="reinit")
    assert later.mask == trial(planned, 0.9, ablation="none").mask


def test_a_budget_below_the_recipe_in_another_unit_is_refused_when_it_is_planned() -> None:
    with pytest.raises(StudyError, match="trains the weights that it draws with the whole recipe, and 99 steps"):
        plan({**END, "retrain": "lr-rewind", "budget": {"steps": 99}, "ablation": "reinit"})


def test_the_end_written_as_a_moment_is_the_end_for_weights_drawn_again() -> None:
    with pytest.raises(StudyError, match='retrain = "none" would leave them untrained'):
        plan({"criterion": "magnitude", "at": {"step": 100}, "ablation": "reinit"})


def test_the_optimizer_goes_on_unless_it_is_to_be_fresh() -> None:
    """Renda et al. (2020) keep the momentum when they fine-tune and when they rewind the rate."""
    for name in ("finetune", "lr-rewind"):
        planned = plan({**END, "retrain": [name, {"name": name, "optimizer_state": "fresh"}]})
        states = [trained(planned, each) for each in planned.trials if (each.sparsity, each.seed) == (0.5, 1)]
        assert [step.optimizer for step in states] == ["kept", "fresh"]


def test_what_sparsities_are_fractions_of_is_in_the_keys_of_masks_only_where_it_is_all_parameters() -> None:
    arms = {"criterion": ["snip", "synflow"]}
    sweep = {"sparsities": [0.0, 0.5], "seeds": [1]}
    usual, stated, of_all = (plan(arms, sweep=sweep | of) for of in ({}, {"of": "prunable"}, {"of": "all"}))
    assert set(usual.steps) == set(stated.steps)
    masks = [step for step in of_all.steps.values() if isinstance(step, Prune | PruneRounds)]
    assert {(step.of, step.sparsity) for step in masks} == {("all", 0.5)}
    shared = set(usual.steps) & set(of_all.steps)
    assert {of_all.steps[key].kind for key in shared} == {"init", "train", "score", "measure"}


def test_adding_a_sparsity_an_arm_or_a_seed_leaves_every_other_key() -> None:
    small = plan(SNIP)
    larger = plan(
        {"criterion": ["snip", "magnitude"], "ablation": ["none", "shuffle"]},
        sweep={"sparsities": [0.0, 0.5, 0.7, 0.9], "seeds": [1, 2, 3]},
    )
    assert set(small.steps) < set(larger.steps)


class Confidence(Metric):
    """A plug-in's."""

    name = "confidence"
    summary = "the mean of the highest probabilities"


def test_a_metric_of_a_plug_in_adds_steps_and_renames_none(monkeypatch: pytest.MonkeyPatch) -> None:
    without = plan(END)
    monkeypatch.setattr("prunectl.plan.build.working", lambda catalog, kind: (*working(catalog, kind), Confidence))
    planned = plan(END)
    assert set(without.steps) < set(planned.steps)
    for one, same in zip(planned.trials, without.trials, strict=True):
        assert (one.measure, one.baseline_measure) == (same.measure, same.baseline_measure)
        (apart,) = one.measured_apart
        step = planned.steps[apart]
        assert isinstance(step, Measure) and step.metrics == (Confidence(),)
        assert (step.state, step.mask) == (one.state, one.mask)
        assert apart in planned.targets("retrain")


SNIP = {"criterion": "snip"}


def test_held_out_images_change_what_is_trained_and_add_a_measurement_of_them() -> None:
    data = BASE["data"]
    without, held = plan(SNIP), plan(SNIP, data={**data, "validation": 100})
    assert {step.kind for key, step in held.steps.items() if key in without.steps} == {"init"}
    for step in held.steps.values():
        if isinstance(step, Train | Score):
            assert step.data is not None and step.data.validation == 100
    for each in held.trials:
        (apart,) = each.measured_apart
        test, validation = held.steps[each.measure], held.steps[apart]
        assert isinstance(test, Measure) and isinstance(validation, Measure)
        assert (test.part, test.data.validation) == ("test", None)
        assert (validation.part, validation.data.validation, validation.data.train_limit) == ("validation", 100, None)
        assert [metric.name for metric in validation.metrics] == ["top1_validation"]


def test_training_accuracy_adds_measurements_and_renames_nothing() -> None:
    without, measured = (
        plan(SNIP),
        plan(SNIP, data={**BASE["data"], "top1_train": True}),
    )
    assert set(without.steps) < set(measured.steps)
    added = [step for key, step in measured.steps.items() if key not in without.steps]
    assert {(step.kind, getattr(step, "part", None)) for step in added} == {("measure", "train")}
    assert len(added) == len({trial.state for trial in without.trials})


def test_no_validation_images_are_the_same_as_none() -> None:
    assert plan(SNIP, data={**BASE["data"], "validation": 0}).steps.keys() == plan(SNIP).steps.keys()


def test_retraining_follows_the_definitions() -> None:
    """docs/methods.md, 'When, and what follows'."""
    planned = plan(
        {**END, "retrain": ["none", "lr-rewind", {"name": "finetune", "lr": 0.001, "epochs": 4}]},
        {**END, "retrain": ["weight-rewind", {"name": "weight-rewind", "to": {"epoch": 2}}]},
    )
    none, rate, fine = (trial(planned, retrain=name) for name in ("none", "lr-rewind", "finetune"))
    assert none.state == none.baseline and none.mask is not None
    measured = planned.steps[none.measure]
    assert isinstance(measured, Measure)
    assert (measured.state, measured.mask) == (none.baseline, none.mask)
    again = trained(planned, rate)
    assert (again.start, again.first_step, again.to_step, again.optimizer) == (rate.baseline, 0, 100, "kept")
    small = trained(planned, fine)
    assert (small.recipe.lr, small.recipe.schedule.name, small.to_step, small.start) == (
        0.001, "constant", 40, fine.baseline,
    )  # fmt: skip
    first = trained(planned, trial(planned, retrain={"name": "weight-rewind", "to": "init"}))
    assert (planned.steps[first.start].kind, first.first_step, first.optimizer) == ("init", 0, "fresh")
    later = trained(planned, trial(planned, retrain={"name": "weight-rewind", "to": {"epoch": 2}}))
    start = planned.steps[later.start]
    assert isinstance(start, Train)
    assert (start.to_step, start.mask, later.first_step, later.to_step, later.optimizer) == (20, None, 20, 100, "kept")
    assert {each.mask for each in (none, rate, fine)} == {none.mask}


def test_a_budget_is_the_last_part_of_the_recipe() -> None:
    """Renda et al. (2020): retraining time t goes back to the schedule's, or the weights', last t."""
    planned = plan({**END, "retrain": ["finetune", "weight-rewind", "lr-rewind"], "budget": [0.25, 1.0]})
    assert len(planned.trials) == 3 * 2 * 3 * 2
    fine = trained(planned, trial(planned, retrain="finetune", budget=0.25))
    assert (fine.first_step, fine.to_step) == (0, 25)
    weights = trained(planned, trial(planned, retrain="weight-rewind", budget=0.25))
    state = planned.steps[weights.start]
    assert isinstance(state, Train)
    assert (state.to_step, weights.first_step, weights.to_step, weights.optimizer) == (75, 75, 100, "kept")
    rate = trained(planned, trial(planned, retrain="lr-rewind", budget=0.25))
    assert (rate.first_step, rate.to_step, rate.optimizer) == (75, 100, "kept")
    assert trained(planned, trial(planned, retrain="weight-rewind", budget=1.0)).first_step == 0


def test_a_budget_may_be_a_length() -> None:
    arm = {**END, "retrain": ["finetune", "lr-rewind"]}
    planned = plan({**arm, "budget": [{"epochs": 3}, {"steps": 7}, 0.3]})
    three = trial(planned, retrain="lr-rewind", budget={"epochs": 3})
    assert (trained(planned, three).first_step, trained(planned, three).to_step) == (70, 100)
    seven = trained(planned, trial(planned, retrain="finetune", budget={"steps": 7}))
    assert (seven.first_step, seven.to_step) == (0, 7)
    assert trial(planned, retrain="lr-rewind", budget=0.3).state == three.state
    with pytest.raises(StudyError, match="only 100"):
        plan({**END, "retrain": "weight-rewind", "budget": {"steps": 101}})
    stretched = plan({**END, "retrain": "lr-rewind", "budget": {"steps": 101}})
    assert trained(stretched, trial(stretched)).recipe.steps == 101
    longer = plan({**END, "retrain": "finetune", "budget": {"epochs": 30}})
    assert trained(longer, trial(longer)).to_step == 300


def test_arms_without_a_budget_are_not_multiplied_by_budgets() -> None:
    planned = plan({**END, "retrain": ["none", "recalibrate", "lr-rewind"], "budget": [0.25, 1.0]})
    assert [(arm.arm.retrain.name, arm.arm.budget) for arm in planned.arms.values()] == [
        ("none", None), ("recalibrate", None), ("lr-rewind", 0.25), ("lr-rewind", 1.0),
    ]  # fmt: skip


def test_an_initialization_of_an_arm_has_dense_networks_of_its_own() -> None:
    planned = plan({"criterion": "snip", "init": ["kaiming-normal", "orthogonal"]}, {"criterion": "magnitude"})
    assert [each.init for each in _inits(planned)] == ["kaiming-normal"] * 2 + ["orthogonal"] * 2
    shared = {
        trial(planned, criterion="snip", init="kaiming-normal").baseline,
        trial(planned, criterion="magnitude").baseline,
    }
    assert len(shared) == 1
    assert trial(planned, init="orthogonal").baseline not in shared


def _inits(planned: Plan) -> list[Network]:
    networks = [step.network for step in planned.steps.values() if isinstance(step, Init)]
    return sorted(networks, key=lambda network: str(network.init))


def test_recalibration_needs_the_pruned_network_and_no_labels() -> None:
    planned = plan({**END, "retrain": ["none", "recalibrate"]})
    one = trial(planned, retrain="recalibrate")
    step = planned.steps[one.state]
    assert isinstance(step, Recalibrate)
    assert (step.state, step.mask) == (one.baseline, one.mask)
    assert one.measure_before == trial(planned, retrain="none").measure


def test_weights_rewound_to_the_end_are_the_trained_ones() -> None:
    arm = {**END, "retrain": {"name": "weight-rewind", "to": "end"}}
    assert trial(plan(arm)).state == trial(plan(arm)).baseline


def test_a_restarted_schedule_begins_again() -> None:
    planned = plan({"criterion": "snip", "at": {"epoch": 4, "schedule": "restart"}})
    after = trained(planned, trial(planned))
    assert (after.first_step, after.to_step, after.optimizer) == (0, 100, "fresh")


@pytest.mark.parametrize("retrain", ["finetune", "weight-rewind", "lr-rewind"])
def test_each_iterative_level_starts_from_the_one_before(retrain: str) -> None:
    planned = plan(
        {"criterion": "magnitude", "at": "end", "rounds": {"name": "iterative"}, "retrain": retrain},
        sweep={"levels": {"rate": 0.2, "count": 4}, "seeds": [1]},
    )
    levels = [one for one in planned.trials if one.sparsity > 0]
    assert [round(one.sparsity, 4) for one in levels] == [0.2, 0.36, 0.488, 0.5904]
    for before, after in itertools.pairwise(levels):
        step = planned.steps[after.plain_mask] if after.plain_mask else None
        assert isinstance(step, Prune)
        scores = planned.steps[step.scores]
        assert isinstance(scores, Score)
        assert (step.before, scores.state, scores.mask) == (before.mask, before.state, before.mask)
        rewound = trained(planned, after).start
        assert rewound == (trained(planned, before).start if retrain == "weight-rewind" else before.state)


def test_a_rate_puts_levels_between_the_sparsities_of_the_sweep() -> None:
    arm = {"criterion": "magnitude", "at": "end", "retrain": "lr-rewind"}
    planned = plan(
        {**arm, "rounds": {"name": "iterative", "rate": 0.2}}, sweep={"sparsities": [0.2, 0.5904, 0.6], "seeds": [1]}
    )
    assert len(planned.trials) == 3
    levels = sorted(step.sparsity for step in planned.steps.values() if isinstance(step, Prune))
    assert [round(level, 4) for level in levels] == [0.2, 0.36, 0.488, 0.5904, 0.6]


def test_ablations_of_an_iterative_arm_are_leaves_of_one_chain() -> None:
    arm = {"criterion": "magnitude", "at": "end", "rounds": {"name": "iterative"}, "retrain": "lr-rewind"}
    sweep = {"levels": {"rate": 0.2, "count": 3}, "seeds": [1]}
    alone, all_ = plan(arm, sweep=sweep), plan({**arm, "ablation": ["none", "shuffle", "reinit"]}, sweep=sweep)
    assert set(alone.steps) < set(all_.steps)
    assert kinds(all_)["train"] == 1 + 3 * 3


def test_rounds_of_a_criterion_are_its_own_unless_given() -> None:
    assert kinds(plan({"criterion": "synflow"}))["prune-rounds"] == 4
    assert kinds(plan({"criterion": "synflow", "rounds": {"name": "one-shot"}}))["prune-rounds"] == 0
    linear = plan({"criterion": "snip", "rounds": {"name": "linear", "count": 5}})
    steps = [step for step in linear.steps.values() if isinstance(step, PruneRounds)]
    assert {(step.rounds.name, len(step.rounds.targets(0.5))) for step in steps} == {("linear", 5)}


def test_two_names_of_one_scope_share_every_step() -> None:
    one, other = plan({"criterion": "snip", "scope": "uniform"}), plan({"criterion": "snip", "scope": "layerwise"})
    assert set(one.steps) == set(other.steps)
    assert {one.arm.columns()["scope"] for one in one.trials} == {"uniform"}


def test_only_a_scope_that_looks_at_weights_is_given_the_network() -> None:
    planned = plan({"criterion": "snip", "scope": ["global", "lamp"]})
    for step in planned.steps.values():
        if isinstance(step, Prune):
            scored = planned.steps[step.scores]
            assert isinstance(scored, Score)
            assert step.state == (scored.state if step.scope.needs_weights else None)


def test_every_structure_has_the_same_kinds_of_step() -> None:
    sweep = {"sparsities": [0.0, 0.5], "seeds": [1]}
    rounds = {"name": "exponential", "count": 3}
    arm = {"criterion": "snip", "ablation": ["none", "shuffle"]}
    wanted = {"init", "train", "score", "prune", "ablate", "measure"}
    for structure in ("weights", "channels", {"name": "n-of-m", "n": 2, "m": 4}):
        planned = plan({**arm, "structure": structure}, sweep=sweep)
        assert set(kinds(planned)) == wanted
    in_rounds = plan({**arm, "structure": ["weights", "channels"], "rounds": rounds}, sweep=sweep)
    assert set(kinds(in_rounds)) == wanted - {"score", "prune"} | {"prune-rounds"}


def test_a_single_round_shares_its_scores() -> None:
    planned = plan({"criterion": "snip", "rounds": {"name": "exponential", "count": 1}})
    assert set(planned.steps) == set(plan(SNIP).steps)


def test_where_the_data_lie_is_in_no_key() -> None:
    one = plan(SNIP, data={"name": "digits"})
    other = plan(SNIP, data={"name": "digits", "root": "/elsewhere"})
    assert set(one.steps) == set(other.steps)


def test_a_budget_of_fine_tuning_is_of_its_own_recipe() -> None:
    """1000 images: 10 steps an epoch in batches of 100, 40 in batches of 25."""
    fine = {**END, "retrain": [{"name": "finetune", "batch_size": 25}, "lr-rewind"]}

    def last_step(budget: Any) -> int:
        planned = plan({**fine, **({"budget": budget} if budget else {})})
        return trained(planned, trial(planned, retrain="finetune")).to_step

    assert last_step({"epochs": 2}) == 80
    assert last_step(0.25) == 100
    assert last_step(1.0) == last_step(None) == 400
    rewound = plan({**fine, "budget": 0.25})
    assert trained(rewound, trial(rewound, retrain="lr-rewind")).first_step == 75


def test_retrainings_that_are_one_training_share_it_and_stay_two_arms() -> None:
    planned = plan({**END, "retrain": ["none", {"name": "weight-rewind", "to": "end"}]})
    none, rewound = trial(planned, retrain="none"), trial(planned, retrain="weight-rewind")
    assert (none.state, none.measure) == (rewound.state, rewound.measure)
    assert none.arm.label != rewound.arm.label


def test_corners_of_rewinding_are_the_other_rewindings() -> None:
    ways = [
        {"name": "rewind", "weights": {"epoch": 2}, "schedule": {"step": 20}},
        {"name": "weight-rewind", "to": {"epoch": 2}},
        {"name": "rewind", "weights": "end", "schedule": "init"},
        "lr-rewind",
    ]
    planned = plan({**END, "retrain": ways})
    states = [trial(planned, retrain=way).state for way in ways]
    assert states[0] == states[1] != states[2] == states[3]
    assert len(planned.arms) == 4


def test_a_control_is_the_dense_network_retrained_and_no_baseline() -> None:
    planned = plan({**END, "retrain": "lr-rewind"}, control=[{"retrain": ["lr-rewind", "finetune"], "budget": 0.5}])
    for name in ("lr-rewind", "finetune"):
        for seed in (1, 2):
            one = trial(planned, 0.0, seed, criterion="none", retrain=name)
            step = trained(planned, one)
            assert (step.start, step.mask, one.mask, one.baseline) == (one.baseline, None, None, step.start)
            assert one.state != one.baseline
    assert kinds(planned)["train"] == 2 + 2 * 2 + 2 * 2  # baselines, pruned at two sparsities, controls
    assert [label for label in planned.arms if "dense" in label] == [
        "dense · lr-rewind, budget 0.5", "dense · finetune, budget 0.5"
    ]  # fmt: skip


def test_repeated_retrainings_go_on_from_each_other() -> None:
    planned = plan(END, control=[{"retrain": {"name": "lr-rewind", "repeat": 3}}])
    one = trial(planned, 0.0, criterion="none")
    chain = [one.state]
    while chain[-1] != one.baseline:
        step = planned.steps[chain[-1]]
        assert isinstance(step, Train) and (step.first_step, step.to_step, step.optimizer) == (0, 100, "kept")
        chain.append(step.start)
    assert len(chain) == 4


def test_a_budget_in_flops_is_left_to_the_worker_and_has_keys_of_its_own() -> None:
    arm = {**END, "retrain": "lr-rewind", "budget": ["flops", {"flops": True, "cap": 2}, 1.0]}
    planned = plan(arm)
    steps = [trained(planned, one) for one in planned.trials if (one.sparsity, one.seed) == (0.5, 1)]
    assert [step.stretch for step in steps] == [Stretch(cap=None), Stretch(cap=2.0), None]
    assert len({one.state for one in planned.trials if one.sparsity == 0.5 and one.seed == 1}) == 3
    assert [placed.share for placed in planned.arms.values()] == [None, None, 1.0]
    assert trial(planned, budget="flops").arm.columns()["budget"] == "{ flops = true }"


def test_a_study_file_of_ours_plans(tmp_path: Path) -> None:
    loaded = load(write_study(tmp_path))
    assert len(build(loaded.study, loaded.study.data.dataset.declared(DATA)).trials) == 18


def test_the_network_that_is_trained_is_the_one_that_was_scored() -> None:
    """Trap 10: only `reinit` trains other weights, drawn from another stream of the same seed."""
    planned = plan(
        {"criterion": ["magnitude", "snip"], "at": ["init", {"step": 3}], "ablation": ["none", "shuffle", "reinit"]}
    )
    for pruned in (chosen for chosen in planned.trials if chosen.sparsity):
        assert pruned.plain_mask is not None
        mask = planned.steps[pruned.plain_mask]
        assert isinstance(mask, Prune)
        scores, start = planned.steps[mask.scores], trained(planned, pruned).start
        assert isinstance(scores, Score)
        if pruned.arm.ablation.name == "reinit":
            assert planned.steps[start] == Init(network=scores.network, seed=pruned.seed, draw="reinit")
        else:
            assert start == scores.state


def seed_behind(planned: Plan, key: Key) -> int:
    """The seed of the initialization that a state goes back to."""
    step = planned.steps[key]
    while not isinstance(step, Init):
        step = planned.steps[parents(step)["start" if isinstance(step, Train) else "state"]]
    return step.seed


def test_a_seed_that_is_in_no_key_is_the_one_that_the_state_was_drawn_with() -> None:
    """So that one key never has two seeds."""
    planned = plan(
        {"criterion": ["snip", "synflow"], "ablation": ["none", "reinit"]},
        {**END, "retrain": "recalibrate"},
        {**END, "rounds": {"name": "iterative", "rate": 0.5}, "retrain": ["finetune", "weight-rewind"]},
        sweep={"sparsities": [0.0, 0.5, 0.75], "seeds": [1, 2]},
    )
    implied = [(step.seed, step.state) for step in planned.steps.values() if isinstance(step, Measure | Recalibrate)]
    assert {seed for seed, _ in implied} == {1, 2}
    assert all(seed == seed_behind(planned, state) for seed, state in implied)


# --- collapse ---

COLLAPSE: dict[str, Any] = {"report": {"collapse": True}}


def collapses(planned: Plan) -> list[Collapse]:
    return [step for step in planned.steps.values() if isinstance(step, Collapse)]


def test_a_critical_compression_is_computed_once_for_each_ranking_and_seed() -> None:
    """Whatever the sparsity, and whatever is done to the mask or the weights afterwards."""
    arm = {"criterion": ["magnitude", "synflow"], "ablation": ["none", "shuffle", "reinit", "invert"]}
    planned = plan(arm, **COLLAPSE)
    assert len(collapses(planned)) == 2 * 2 * 2  # criteria, inverted or not, seeds
    asked = [each for each in planned.trials if each.sparsity > 0]
    assert {each.collapse for each in asked} == {key_of(step) for step in collapses(planned)}
    assert all(each.collapse is None for each in planned.trials if each.sparsity == 0)
    shared = [step for step in collapses(planned) if step.scores is not None]
    assert {step.criterion.name for step in shared} == {"magnitude"}
    assert {step.scores for step in shared} == {
        step.scores for step in planned.steps.values() if isinstance(step, Prune)
    }
    assert all(step.state is None and step.data is None for step in shared)


def test_asking_for_it_renames_nothing_and_trains_nothing_before_the_stage_of_retraining() -> None:
    arms = ({"criterion": ["snip", "synflow", "random"], "scope": ["global", "lamp"]},)
    without, planned = plan(*arms), plan(*arms, **COLLAPSE)
    assert without.steps.keys() == planned.steps.keys() - {key_of(step) for step in collapses(planned)}
    pruned = planned.closure(planned.targets("prune"))
    assert {key_of(step) for step in collapses(planned)} <= pruned
    assert not any(isinstance(planned.steps[key], Train) for key in pruned)
    assert not {key_of(step) for step in collapses(planned)} & planned.closure(planned.targets("train"))


@pytest.mark.parametrize(
    "arm",
    [
        {"criterion": "magnitude", "structure": "channels"},
        {"criterion": "magnitude", "at": "end", "rounds": "iterative", "retrain": "lr-rewind"},
        {
            "criterion": "magnitude",
            "rounds": {"name": "gradual", "from": {"epoch": 0}, "to": {"epoch": 5}, "every": {"steps": 10}},
        },
    ],
    ids=str,
)
def test_channels_and_what_is_trained_between_have_none(arm: dict[str, Any]) -> None:
    planned = plan(arm, {"criterion": "magnitude", "at": "end"}, **COLLAPSE)
    assert {each.arm.collapses for each in planned.trials if each.collapse} == {True}
    assert not any(each.collapse for each in planned.trials if not each.arm.collapses)
    assert len(collapses(planned)) == 2


def test_it_is_of_the_network_that_is_pruned() -> None:
    planned = plan({"criterion": "synflow", "at": ["init", "end"]}, **COLLAPSE)
    states = {planned.steps[step.state].kind for step in collapses(planned) if step.state is not None}
    assert states == {"init", "train"}


def test_a_plan_has_the_seeds_that_its_arms_were_granted() -> None:
    """A function of the study and of the seeds granted; the least number is at_least."""
    claim = {"text": "t", "better": {"criterion": "snip"}, "than": {"criterion": "random"}}
    sweep = {"sparsities": [0.5], "seeds": {"until": "settled", "at_most": 6}}
    arms = [{"criterion": ["snip", "random", "grasp"]}]
    study, problems = validate({**BASE, "prune": arms, "sweep": sweep, "claim": [claim]})
    assert study is not None and not problems
    content = study.data.dataset.declared(DATA)
    granted = {"snip · at init": 4, "random · at init": 6, "grasp · at init": 2}
    counts = [Counter(each.arm.label for each in build(study, content, granted=more).trials) for more in ({}, granted)]
    assert counts == [dict.fromkeys(granted, 3), {**granted, "grasp · at init": 3}]
    listed = validate({**BASE, "prune": arms, "sweep": {"sparsities": [0.5], "seeds": 4}})[0]
    assert listed is not None
    more, four = build(study, content, granted=dict.fromkeys(granted, 4)), build(listed, content)
    assert more.steps.keys() == four.steps.keys(), "how seeds are given is in no key"
