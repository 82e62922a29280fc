"""Training steps with and without sharing, and time estimated from earlier steps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning import BASE, END, kinds, plan
from prunectl.plan.cost import Past, estimate, training_steps
from prunectl.plan.graph import Plan
from prunectl.plan.only import only
from prunectl.plan.steps import Score, Train, preimage


def test_an_estimate_needs_something_to_go_by() -> None:
    planned = plan({"criterion": "snip"})
    assert estimate(planned, list(planned.steps), []).wall_s is None
    known = [
        Past(preimage=preimage(step), wall_s=2.0 if step.kind == "train" else 0.5) for step in planned.steps.values()
    ]
    seconds = estimate(planned, list(planned.steps), known).wall_s
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
    assert estimate(planned, list(planned.steps), known).wall_s == pytest.approx(sum(one.wall_s for one in known))
    other = plan(*arms, train={**BASE["train"], "batch_size": 50})
    assert estimate(other, list(other.steps), known).wall_s == pytest.approx(sum(one.wall_s for one in past(other)))
    # Where what it was taken up from is gone, its time is of nobody knows how many steps.
    orphans = [one for one in known if json.loads(one.preimage)["kind"] != "train" or one.resume]
    assert estimate(planned, list(planned.steps), orphans).wall_s is None


@given(st.sampled_from(["init", "end", {"epoch": 2}]), st.sampled_from(["none", "lr-rewind"]))
@settings(deadline=None)
def test_sharing_never_costs(at: Any, retrain: str) -> None:
    """Nor in a part of a study without the trial that is the baseline itself."""
    whole = plan({"criterion": ["magnitude", "snip"], "at": at, "retrain": retrain if at == "end" else "none"})
    for part in (whole, only(whole, ["sparsity=0.9"]), only(whole, ["criterion=snip,sparsity=0.5,seed=1"])):
        steps = training_steps(part)
        assert steps["training_steps"] <= steps["training_steps_unshared"]


FINETUNED = {**END, "retrain": {"name": "finetune", "epochs": 2}}


@pytest.mark.parametrize(
    ("arms", "shared", "unshared"),
    [
        # Two seeds of a baseline of 100 steps; two sparsities; a trial of sparsity 0 is the baseline.
        ([{"criterion": "snip"}], 200 + 4 * 100, 200 + 4 * 100),
        ([{"criterion": ["snip", "magnitude"]}], 200 + 8 * 100, 2 * (200 + 4 * 100)),
        ([END], 200, 200 + 4 * 100),
        ([FINETUNED], 200 + 4 * 20, 200 + 4 * (100 + 20)),
        ([{"criterion": "magnitude", "at": {"epoch": 3}}], 200 + 4 * 70, 200 + 4 * (30 + 70)),
        ([{"criterion": "magnitude", "at": {"step": 7}}], 200 + 4 * 93, 200 + 4 * (7 + 93)),
    ],
)
def test_training_steps_by_hand(arms: list[dict[str, Any]], shared: int, unshared: int) -> None:
    assert training_steps(plan(*arms)) == {"training_steps": shared, "training_steps_unshared": unshared}


def test_a_baseline_that_no_trial_is_counts_once_for_each_seed() -> None:
    steps = training_steps(only(plan({"criterion": "snip"}), ["sparsity=0.9"]))
    assert steps == {"training_steps": 2 * 100 + 2 * 100, "training_steps_unshared": 2 * 100 + 2 * 100}


def test_nothing_to_do_takes_no_time() -> None:
    assert estimate(plan({"criterion": "snip"}), [], []).wall_s == 0.0


def test_an_estimate_is_of_the_median_of_like_steps() -> None:
    planned = plan({"criterion": "snip"})
    scores = [key for key, step in planned.steps.items() if step.kind == "score"]
    text = preimage(planned.steps[scores[0]])
    assert (
        estimate(planned, scores, [Past(preimage=text, wall_s=wall_s) for wall_s in (9.0, 1.0, 2.0)]).wall_s == 2 * 2.0
    )


def test_scores_of_one_criterion_tell_nothing_of_another_s() -> None:
    planned = plan({"criterion": ["snip", "magnitude"]})
    by_name = {step.criterion.name: key for key, step in planned.steps.items() if isinstance(step, Score)}
    past = [Past(preimage=preimage(planned.steps[by_name["magnitude"]]), wall_s=1.0)]
    assert estimate(planned, [by_name["magnitude"]], past).wall_s == 1.0
    assert estimate(planned, [by_name["snip"]], past).wall_s is None


def test_a_training_of_another_network_tells_nothing() -> None:
    small, other = plan({"criterion": "snip"}), plan({"criterion": "snip"}, model={"name": "lenet-300-100"})
    past = [Past(preimage=preimage(step), wall_s=1.0) for step in small.steps.values() if step.kind == "train"]
    todo = [key for key, step in other.steps.items() if step.kind == "train"]
    assert estimate(other, todo, past).wall_s is None


def test_twice_the_epochs_take_twice_the_time() -> None:
    short, long = plan(END), plan(END, train={**BASE["train"], "epochs": 20})
    past = [Past(preimage=preimage(step), wall_s=3.0) for step in short.steps.values() if step.kind == "train"]
    todo = [key for key, step in long.steps.items() if step.kind == "train"]
    assert estimate(long, todo, past).wall_s == pytest.approx(2 * 6.0)


def test_disk_space_is_the_median_of_like_steps_and_unknown_where_none_was_recorded() -> None:
    planned = plan({"criterion": "snip"})
    scores = [key for key, step in planned.steps.items() if step.kind == "score"]
    text = preimage(planned.steps[scores[0]])
    past = [Past(preimage=text, wall_s=1.0, size_bytes=size) for size in (10, 90, 20)]
    assert estimate(planned, scores, past).size_bytes == len(scores) * 20
    assert estimate(planned, scores, [Past(preimage=text, wall_s=1.0)]).size_bytes is None
    everything = estimate(planned, list(planned.steps), past)
    assert everything.size_bytes is None
    assert [name.partition(" ")[0] for name in everything.unknown] == ["init", "train", "measure", "prune"]
    assert everything.unknown[1] == "train (tiny-cnn, digits)"
    assert estimate(planned, scores, past).unknown == ()
