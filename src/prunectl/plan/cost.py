"""What a plan costs: training steps, with and without sharing, and seconds as far as the store knows them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from statistics import median

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
    earlier = plan.follows.get(key)
    begun = plan.steps[earlier] if earlier is not None else None
    return step.to_step - (begun.to_step if isinstance(begun, Train) else step.first_step)


def _chain_steps(plan: Plan, state: Key) -> int:
    """Steps of every training that a state rests on; of two states of one training only the later counts."""
    runs: dict[Train, int] = {}
    for key in plan.closure([state]):
        step = plan.steps[key]
        if isinstance(step, Train):
            run = replace(step, to_step=0)
            runs[run] = max(runs.get(run, 0), step.to_step - step.first_step)
    return sum(runs.values())


def estimate(plan: Plan, todo: Collection[Key], stored: Iterable[tuple[str, float]]) -> float | None:
    """Seconds of one process for what is to do, from what like steps took; None if a kind was never done here."""
    rates: dict[str, list[float]] = {}
    for text, wall_s in stored:
        body = json.loads(text)
        rates.setdefault(_like(body), []).append(wall_s / _units(body))
    known = {like: median(values) for like, values in rates.items()}
    total = 0.0
    for key in todo:
        step = plan.steps[key]
        body = _body(step)
        if _like(body) not in known:
            return None
        total += known[_like(body)] * (max(1, _own_steps(plan, key)) if isinstance(step, Train) else _units(body))
    return total


def _body(step: Step) -> dict[str, object]:
    body: dict[str, object] = json.loads(preimage(step))
    return body


def _like(body: dict[str, object]) -> str:
    """Steps that take about the same: of one kind, network and criterion."""
    names = [body["kind"]]
    for field, inner in (("network", "model"), ("criterion", None), ("data", "dataset")):
        value = body.get(field)
        if isinstance(value, dict):
            value = value[inner] if inner else value
            names.append(value["name"])
    return "/".join(map(str, names))


def _units(body: dict[str, object]) -> int:
    if body["kind"] == "train":
        return max(1, int(str(body["to_step"])) - int(str(body["first_step"])))
    return 1
