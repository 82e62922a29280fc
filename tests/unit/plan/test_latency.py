"""Timing is a step of its own: shared by trials of one network, keyed by where it is measured, needed by no trial."""

from __future__ import annotations

from dataclasses import replace

import planning
from planning import END
from prunectl.plan.conditions import Conditions
from prunectl.plan.latency import timed
from prunectl.plan.steps import Latency

HERE = Conditions(machine="a", device="cpu", threads=1, torch="2", onnxruntime=None, batch_sizes=(1, 128), repeats=30)


def test_every_trial_has_a_step_and_trials_of_one_network_share_it() -> None:
    plan = planning.plan(END, {"criterion": "random", "at": "end"})
    after = timed(plan, HERE)
    steps = [after.steps[key] for key in after.asked]
    assert all(isinstance(step, Latency) for step in steps)
    assert {trial.latency for trial in after.trials} == after.asked
    assert len(after.asked) == 2 + 2 * 4  # a dense network for each seed; two criteria, two sparsities, two seeds
    baseline = planning.trial(after, sparsity=0.0, criterion="magnitude")
    assert baseline.latency == planning.trial(after, sparsity=0.0, criterion="random").latency
    step = after.steps[baseline.latency or ""]  # type: ignore[index]
    assert isinstance(step, Latency) and step.mask is None and step.state == step.dense == baseline.state


def test_the_dense_network_of_the_same_seed_is_timed_with_a_pruned_one() -> None:
    after = timed(planning.plan(END), HERE)
    trial = planning.trial(after, seed=2)
    assert trial.latency is not None
    step = after.steps[trial.latency]
    assert isinstance(step, Latency)
    assert (step.dense, step.state, step.mask) == (trial.baseline, trial.state, trial.mask)


def test_machine_threads_and_versions_are_in_the_key() -> None:
    plan = planning.plan(END)
    others = [
        replace(HERE, machine="b"), replace(HERE, threads=2), replace(HERE, torch="3"), replace(HERE, repeats=3),
        replace(HERE, onnxruntime="1.23"), replace(HERE, batch_sizes=(1,)),
    ]  # fmt: skip
    keys = [timed(plan, conditions).asked for conditions in (HERE, *others)]
    assert len(frozenset().union(*keys)) == sum(map(len, keys))


def test_a_study_is_done_without_it() -> None:
    plan = planning.plan(END)
    after = timed(plan, HERE)
    assert after.targets("retrain") == plan.targets("retrain")
    assert after.targets("latency") == after.asked
    assert [replace(trial, latency=None) for trial in after.trials] == list(plan.trials)
    assert {key: after.steps[key] for key in plan.steps} == dict(plan.steps)
