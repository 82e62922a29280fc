"""A plan with the steps that time the networks of its trials."""

from __future__ import annotations

from dataclasses import replace

from prunectl.plan.conditions import Conditions
from prunectl.plan.graph import Plan, StepSet, Trial
from prunectl.plan.steps import Latency, Measure


def timed(plan: Plan, conditions: Conditions) -> Plan:
    """The plan with a step for each network of its trials, which `asked` lists. Trials share that of one network."""
    steps = StepSet(plan.steps)
    trials = tuple(replace(trial, latency=steps.add(_step(plan, trial, conditions))) for trial in plan.trials)
    asked = frozenset(trial.latency for trial in trials if trial.latency is not None)
    return replace(plan, steps=steps.steps, trials=trials, asked=asked)


def _step(plan: Plan, trial: Trial, conditions: Conditions) -> Latency:
    measured = plan.steps[trial.measure]
    assert isinstance(measured, Measure)
    return Latency(
        network=measured.network,
        dense=trial.baseline if trial.mask is not None else trial.state,
        state=trial.state,
        mask=trial.mask,
        conditions=conditions,
        seed=trial.seed,
    )
