"""What a plan costs: training steps, with and without sharing, and seconds as far as the store knows them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from prunectl.base.keys import digest
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Key, Step, Train, preimage


def training_steps(plan: Plan) -> dict[str, int]:
    """Optimizer steps of the whole plan, and what every trial on its own would take, each baseline being one."""
    own = {key: _own_steps(plan, key) for key in plan.steps}
    needed = plan.closure(plan.targets("retrain"))
    states = [trial.state for trial in plan.trials]
    baselines = {trial.baseline for trial in plan.trials}.difference(states)
    unshared = sum(_chain_steps(plan, state) for state in [*states, *baselines])
    return {"training_steps": sum(own[key] for key in needed), "training_steps_unshared": unshared}


def _own_steps(plan: Plan, key: Key) -> int:
    """Steps that remain for a training after the earlier state that it is taken up from."""
    step = plan.steps[key]
    if not isinstance(step, Train):
        return 0
    begun = _begun(plan, key)
    return step.to_step - (step.first_step if begun is None else begun)


def _begun(plan: Plan, key: Key) -> int | None:
    """The step that an earlier state of the same training has reached, if the plan has one."""
    earlier = plan.follows.get(key)
    begun = plan.steps[earlier] if earlier is not None else None
    return begun.to_step if isinstance(begun, Train) else None


def _chain_steps(plan: Plan, state: Key) -> int:
    """Steps of every training that a state rests on; of two states of one training only the later counts."""
    runs: dict[Train, int] = {}
    for key in plan.closure([state]):
        step = plan.steps[key]
        if isinstance(step, Train):
            run = replace(step, to_step=0)
            runs[run] = max(runs.get(run, 0), step.to_step - step.first_step)
    return sum(runs.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """A step that was done once: its pre-image, how long it took, and the state that a training was taken up from."""

    preimage: str
    wall_s: float
    resume: str | None = None


def estimate(plan: Plan, todo: Collection[Key], past: Iterable[Past]) -> float | None:
    """Seconds of one process for what is to do, from what like steps took; None if a kind was never done here.

    A training takes what its images take, each counted as often as it is seen.
    """
    done = [(json.loads(one.preimage), one) for one in past]
    reached = {digest(one.preimage): int(body["to_step"]) for body, one in done if body["kind"] == "train"}
    rates: dict[str, list[float]] = {}
    for body, one in done:
        # The state that a training resumed from may have been removed since; then its time is unknown.
        if not one.resume or one.resume in reached:
            rates.setdefault(_like(body), []).append(one.wall_s / _units(body, reached.get(one.resume or "")))
    known = {like: median(values) for like, values in rates.items()}
    total = 0.0
    for key in todo:
        body = _body(plan.steps[key])
        if _like(body) not in known:
            return None
        total += known[_like(body)] * _units(body, _begun(plan, key))
    return total


def _body(step: Step) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(preimage(step))
    return body


def _like(body: dict[str, Any]) -> str:
    """Steps that take about the same: of one kind, network and criterion."""
    names = [body["kind"]]
    for field, inner in (("network", "model"), ("criterion", None), ("data", "dataset")):
        value = body.get(field)
        if isinstance(value, dict):
            value = value[inner] if inner else value
            names.append(value["name"])
    return "/".join(map(str, names))


def _units(body: dict[str, Any], begun: int | None) -> int:
    """What the time of a step is counted in: for a training the images of its steps from `begun` on; otherwise 1."""
    if body["kind"] != "train":
        return 1
    steps = int(body["to_step"]) - (int(body["first_step"]) if begun is None else begun)
    return max(1, steps) * int(body["recipe"]["batch_size"])
