"""The plan: sharing by construction, keys, moments, rounds and retraining, without disk or torch."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli import TINY, write_study
from prunectl.base.errors import StudyError
from prunectl.catalog.entry import Entry
from prunectl.plan.build import build
from prunectl.plan.changes import changes
from prunectl.plan.cost import Past, estimate, training_steps
from prunectl.plan.explain import Reason, explain
from prunectl.plan.graph import Plan, Trial
from prunectl.plan.only import only
from prunectl.plan.resolve import dataset_of
from prunectl.plan.steps import Init, Measure, Prune, PruneRounds, Recalibrate, Score, Train, key_of, parents, preimage
from prunectl.study.load import judged, load

DATA = "f" * 64
BASE: dict[str, Any] = {
    "name": "t",
    "data": {"name": "digits", "train_limit": 1000},
    "model": {"name": "tiny-cnn"},
    "train": {"epochs": 10, "batch_size": 100, "lr": 0.1},
    "sweep": {"sparsities": [0.0, 0.5, 0.9], "seeds": [1, 2]},
}


def plan(*arms: dict[str, Any], **changed: Any) -> Plan:
    study, slips = judged({**BASE, "prune": list(arms), **changed})
    assert study is not None, slips
    return build(study, dataset_of(study).declared(DATA))


def kinds(planned: Plan) -> Counter[str]:
    return Counter(step.kind for step in planned.steps.values())


def trial(planned: Plan, sparsity: float = 0.5, seed: int = 1, **arm: str) -> Trial:
    found = [
        one
        for one in planned.trials
        if (one.sparsity, one.seed) == (sparsity, seed) and all(said(getattr(one.arm, k)) == v for k, v in arm.items())
    ]
    assert len(found) == 1
    return found[0]


def said(value: Any) -> Any:
    """A choice of an arm, by its name if it is an entry."""
    return value.name if isinstance(value, Entry) else value


def trained(planned: Plan, one: Trial) -> Train:
    step = planned.steps[one.state]
    assert isinstance(step, Train)
    return step


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
    order = {key: place for place, key in enumerate(planned.steps)}
    assert all(order[parent] < order[key] for key, step in planned.steps.items() for parent in parents(step).values())


def test_sparsity_zero_is_the_baseline_of_every_arm() -> None:
    planned = plan(
        {"criterion": ["snip", "synflow"], "ablation": ["none", "reinit"]},
        {"criterion": "magnitude", "at": "end", "retrain": ["none", "lr-rewind"]},
    )
    for one in planned.trials:
        assert (one.sparsity == 0) == (one.state == one.baseline) or one.arm.retrain == "none"
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


def test_adding_a_sparsity_an_arm_or_a_seed_leaves_every_other_key() -> None:
    small = plan({"criterion": "snip"})
    larger = plan(
        {"criterion": ["snip", "magnitude"], "ablation": ["none", "shuffle"]},
        sweep={"sparsities": [0.0, 0.5, 0.7, 0.9], "seeds": [1, 2, 3]},
    )
    assert set(small.steps) < set(larger.steps)


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


def test_retraining_follows_the_definitions() -> None:
    """METHODS.md, 'When, and what follows'."""
    end = {"criterion": "magnitude", "at": "end"}
    planned = plan(
        {**end, "retrain": ["none", "lr-rewind"]},
        {**end, "retrain": "finetune", "finetune": {"lr": 0.001, "epochs": 4}},
        {**end, "retrain": "weight-rewind", "rewind_to": ["init", {"epoch": 2}]},
    )
    none, rate, fine = (trial(planned, retrain=name) for name in ("none", "lr-rewind", "finetune"))
    assert none.state == none.baseline and none.mask is not None
    measured = planned.steps[none.measure]
    assert isinstance(measured, Measure)
    assert (measured.state, measured.mask) == (none.baseline, none.mask)
    again = trained(planned, rate)
    assert (again.start, again.first_step, again.to_step, again.optimizer) == (rate.baseline, 0, 100, "fresh")
    small = trained(planned, fine)
    assert (small.recipe.lr, small.recipe.schedule, small.to_step, small.start) == (
        0.001,
        "constant",
        40,
        fine.baseline,
    )
    first = trained(planned, trial(planned, retrain_label="weight-rewind"))
    assert (planned.steps[first.start].kind, first.first_step, first.optimizer) == ("init", 0, "fresh")
    later = trained(planned, trial(planned, retrain_label="weight-rewind(epoch=2)"))
    start = planned.steps[later.start]
    assert isinstance(start, Train)
    assert (start.to_step, start.mask, later.first_step, later.to_step, later.optimizer) == (20, None, 20, 100, "kept")
    assert {one.mask for one in (none, rate, fine)} == {none.mask}


def test_a_budget_is_the_last_part_of_the_recipe() -> None:
    """Renda et al. (2020): retraining time t goes back to the schedule's, or the weights', last t."""
    planned = plan(
        {
            "criterion": "magnitude",
            "at": "end",
            "retrain": ["finetune", "weight-rewind", "lr-rewind"],
            "budget": [0.25, 1.0],
        }
    )
    assert len(planned.trials) == 3 * 2 * 3 * 2
    fine = trained(planned, trial(planned, retrain_label="finetune(budget=0.25)"))
    assert (fine.first_step, fine.to_step) == (0, 25)
    weights = trained(planned, trial(planned, retrain_label="weight-rewind(budget=0.25)"))
    state = planned.steps[weights.start]
    assert isinstance(state, Train)
    assert (state.to_step, weights.first_step, weights.to_step, weights.optimizer) == (75, 75, 100, "kept")
    rate = trained(planned, trial(planned, retrain_label="lr-rewind(budget=0.25)"))
    assert (rate.first_step, rate.to_step, rate.optimizer) == (75, 100, "fresh")
    assert trained(planned, trial(planned, retrain_label="weight-rewind")).first_step == 0


def test_a_budget_may_be_a_length() -> None:
    arm = {"criterion": "magnitude", "at": "end", "retrain": ["finetune", "lr-rewind"]}
    planned = plan({**arm, "budget": [{"epochs": 3}, {"steps": 7}, 0.3]})
    three = trained(planned, trial(planned, retrain_label="lr-rewind(budget=3 epochs)"))
    assert (three.first_step, three.to_step) == (70, 100)
    seven = trained(planned, trial(planned, retrain_label="finetune(budget=7 steps)"))
    assert (seven.first_step, seven.to_step) == (0, 7)
    assert trial(planned, retrain_label="lr-rewind(budget=0.3)").state == trial(
        planned, retrain_label="lr-rewind(budget=3 epochs)"
    ).state  # fmt: skip
    with pytest.raises(StudyError, match="only 100"):
        plan({**arm, "budget": {"steps": 101}})
    longer = plan({**arm, "retrain": "finetune", "budget": {"epochs": 30}})
    assert trained(longer, trial(longer, retrain_label="finetune(budget=30 epochs)")).to_step == 300


def test_recalibration_needs_the_pruned_network_and_no_labels() -> None:
    planned = plan({"criterion": "magnitude", "at": "end", "retrain": ["none", "recalibrate"]})
    one = trial(planned, retrain="recalibrate")
    step = planned.steps[one.state]
    assert isinstance(step, Recalibrate)
    assert (step.state, step.mask) == (one.baseline, one.mask)
    assert one.measure_before == trial(planned, retrain="none").measure


def test_weights_rewound_to_the_end_are_the_trained_ones() -> None:
    arm = {"criterion": "magnitude", "at": "end", "retrain": "weight-rewind", "rewind_to": "end"}
    assert trial(plan(arm)).state == trial(plan(arm)).baseline


def test_a_restarted_schedule_begins_anew() -> None:
    planned = plan({"criterion": "snip", "at": {"epoch": 4}, "schedule": "restart"})
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


def test_rounds_of_a_criterion_are_its_own_unless_told() -> None:
    assert kinds(plan({"criterion": "synflow"}))["prune-rounds"] == 4
    assert kinds(plan({"criterion": "synflow", "rounds": {"name": "one-shot"}}))["prune-rounds"] == 0
    linear = plan({"criterion": "snip", "rounds": {"name": "linear", "count": 5}})
    steps = [step for step in linear.steps.values() if isinstance(step, PruneRounds)]
    assert {step.rounds.label() for step in steps} == {"linear(count=5)"}


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
    assert set(planned.steps) == set(plan({"criterion": "snip"}).steps)


def test_where_the_data_lie_is_in_no_key() -> None:
    one = plan({"criterion": "snip"}, data={"name": "digits"})
    other = plan({"criterion": "snip"}, data={"name": "digits", "root": "/elsewhere"})
    assert set(one.steps) == set(other.steps)


def test_what_is_to_do_stops_at_what_is_there() -> None:
    planned = plan({"criterion": "snip"})
    targets = planned.targets("retrain")
    everything = explain(planned, targets, has=lambda key: False, failure=lambda key: None)
    assert set(everything.todo) == planned.closure(targets)
    assert set(everything.todo.values()) == {Reason.MISSING}
    nothing = explain(planned, targets, has=targets.__contains__, failure=lambda key: None)
    assert not nothing.todo  # the scores are gone, and nobody needs them
    assert nothing.reused == targets


def test_what_rests_on_a_failure_is_skipped_and_a_crash_is_tried_again() -> None:
    planned = plan({"criterion": "snip"}, sweep={"sparsities": [0.5], "seeds": [1]})
    scores = next(key for key, step in planned.steps.items() if step.kind == "score")
    targets = planned.targets("retrain")
    failed = explain(planned, targets, has=lambda key: False, failure=lambda key: "method" if key == scores else None)
    assert failed.failed == {scores}
    assert {planned.steps[key].kind for key in failed.skipped} == {"prune", "train", "measure"}
    again = explain(planned, targets, has=lambda key: False, failure=lambda key: "crash" if key == scores else None)
    assert again.todo[scores] is Reason.CRASHED


def test_stages_ask_for_no_more_than_they_need() -> None:
    planned = plan({"criterion": ["snip", "synflow"], "ablation": ["none", "shuffle"]})
    counted = {}
    for stage in ("train", "prune", "ablate", "retrain"):
        needed = planned.closure(planned.targets(stage))
        counted[stage] = Counter(planned.steps[key].kind for key in needed)
    assert set(counted["train"]) == {"init", "train", "measure"}
    assert "ablate" not in counted["prune"]
    assert "train" not in counted["prune"]  # masks at initialization need no training
    assert counted["ablate"]["ablate"] == 8
    assert counted["retrain"]["train"] == 2 + 16


def test_only_chooses_trials_and_says_what_there_is() -> None:
    planned = plan({"criterion": ["snip", "magnitude"], "ablation": ["none", "shuffle"]})
    assert len(only(planned, "criterion=snip,sparsity=0.9").trials) == 4
    assert len(only(planned, "seed=2,ablation=shuffle").trials) == 6
    with pytest.raises(StudyError, match="leaves no trial"):
        only(planned, "criterion=grasp")
    with pytest.raises(StudyError, match="a field is one of"):
        only(planned, "creterion=snip")


def test_a_change_is_told_against_the_nearest_thing_there_is() -> None:
    planned, stored = plan({"criterion": "snip"}), plan({"criterion": "snip"}, train={**BASE["train"], "lr": 0.2})
    told = changes(planned, list(planned.steps), [preimage(step) for step in stored.steps.values()])
    assert "train: recipe.lr 0.2 → 0.1" in told


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


def test_an_overridden_sweep_may_leave_a_claim_without_trials(tmp_path: Path) -> None:
    claim = '[[claim]]\ntext = "t"\nbetter = { criterion = "snip" }\nthan = { criterion = "magnitude" }\n'
    study = write_study(tmp_path, TINY + claim + "at_sparsity = 0.9\n")
    assert len(load(study, overrides=["sweep.sparsities=[0.5]"]).study.sweep.asked) == 1


def test_a_study_file_of_ours_plans(tmp_path: Path) -> None:
    loaded = load(write_study(tmp_path))
    assert len(build(loaded.study, dataset_of(loaded.study).declared(DATA)).trials) == 18


@given(st.sampled_from(["init", "end", {"epoch": 2}]), st.sampled_from(["none", "lr-rewind"]))
@settings(deadline=None)
def test_sharing_never_costs(at: Any, retrain: str) -> None:
    """Nor in a part of a study without the trial that is the baseline itself."""
    whole = plan({"criterion": ["magnitude", "snip"], "at": at, "retrain": retrain if at == "end" else "none"})
    for part in (whole, only(whole, "sparsity=0.9"), only(whole, "criterion=snip,sparsity=0.5,seed=1")):
        steps = training_steps(part)
        assert steps["training_steps"] <= steps["training_steps_unshared"]


END = {"criterion": "magnitude", "at": "end"}


def labels(planned: Plan, column: str) -> list[str]:
    return list(dict.fromkeys(one.arm.columns()[column] for one in planned.trials))


def test_recipes_of_fine_tuning_are_told_apart_by_what_they_differ_in() -> None:
    fine = {**END, "retrain": "finetune"}
    planned = plan(
        {**fine, "finetune": {"lr": 0.001}},
        {**fine, "finetune": {"lr": 0.01, "epochs": 3}},
        {**fine, "finetune": {"schedule": {"kind": "step", "milestones": [5, 8], "gamma": 0.2}}, "budget": 0.5},
    )
    step = "step(milestones=[5, 8], gamma=0.2)"
    assert labels(planned, "retrain") == [
        "finetune(epochs=10, lr=0.001, schedule=constant)",
        "finetune(epochs=3, lr=0.01, schedule=constant)",
        f"finetune(budget=0.5, lr=0.001, schedule={step})",
    ]
    assert len({(one.arm.label, one.sparsity, one.seed) for one in planned.trials}) == len(planned.trials)


@pytest.mark.parametrize("finetune", [{}, {"lr": 0.001}, {"batch_size": 100}, {"momentum": 0.9}])
def test_a_single_recipe_of_fine_tuning_is_not_spelled_out(finetune: dict[str, Any]) -> None:
    fine = {**END, "retrain": ["none", "finetune"], "finetune": finetune}
    planned = plan(fine, {"criterion": "snip", "at": "end", "retrain": "finetune"}, {**END, "ablation": "shuffle"})
    assert labels(planned, "retrain") == ["none", "finetune"]


def test_a_schedule_that_goes_on_or_restarts_is_told_where_a_study_has_both() -> None:
    middle = {"criterion": "snip", "at": ["init", {"epoch": 4}]}
    again = {"criterion": "snip", "at": {"epoch": 4}, "schedule": "restart"}
    assert labels(plan(again), "at") == ["epoch=4"]
    planned = plan(middle, again)
    assert labels(planned, "at") == ["init", "epoch=4(schedule=continue)", "epoch=4(schedule=restart)"]
    assert len(only(planned, "at=epoch=4").trials) == 12
    assert len(only(planned, "at=epoch=4(schedule=restart)").trials) == 6


def test_a_budget_of_fine_tuning_is_of_its_own_recipe() -> None:
    """1000 images: 10 steps an epoch in batches of 100, 40 in batches of 25."""
    fine = {**END, "retrain": ["finetune", "lr-rewind"], "finetune": {"batch_size": 25}}

    def last_step(budget: Any, label: str) -> int:
        planned = plan({**fine, **({"budget": budget} if budget else {})})
        return trained(planned, trial(planned, retrain_label=label)).to_step

    assert last_step({"epochs": 2}, "finetune(budget=2 epochs)") == 80
    assert last_step(0.25, "finetune(budget=0.25)") == 100
    assert last_step(1.0, "finetune") == last_step(None, "finetune") == 400
    rewound = plan({**fine, "budget": 0.25})
    assert trained(rewound, trial(rewound, retrain_label="lr-rewind(budget=0.25)")).first_step == 75


def test_only_takes_labels_with_several_parameters() -> None:
    planned = plan(
        {"criterion": ["snip", {"name": "snip", "samples_per_class": 5, "wrt": "weight"}]},
        {
            "criterion": "magnitude",
            "scope": {"name": "rates", "per_layer": {"conv1": 0.5, "conv2": 1.0}},
        },
        sweep={"sparsities": [0.5], "seeds": 1},
    )
    for one in planned.trials:
        for name in ("criterion", "scope"):
            label = one.arm.columns()[name]
            assert one in only(planned, f"{name}={label}, seed=1").trials
    assert len(only(planned, f"criterion={planned.trials[1].arm.criterion.label()},sparsity=0.5").trials) == 1
