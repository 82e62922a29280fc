"""What a plan costs: training steps, with and without sharing, and seconds and bytes as far as the store knows them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from prunectl.base.keys import digest
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Key, Step, Train, parent_keys


def training_steps(plan: Plan) -> dict[str, int]:
    """Optimizer steps of the whole plan, and what every trial on its own would take, each baseline being one."""
    needed = plan.closure(plan.targets("retrain"))
    states = [trial.state for trial in plan.trials]
    baselines = {trial.baseline for trial in plan.trials}.difference(states)
    alone = _alone(plan)
    return {
        "training_steps": sum(_own_steps(plan, key) for key in needed),
        "training_steps_unshared": sum(sum(alone[state].values()) for state in [*states, *baselines]),
    }


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


def _alone(plan: Plan) -> dict[Key, dict[Key, int]]:
    """For each step, the optimizer steps of every training that it and its parents rest on, in one look at the plan.

    Of two states of one training, known by its earliest state, only the later counts.
    """
    alone: dict[Key, dict[Key, int]] = {}
    first: dict[Key, Key] = {}
    for key, step in plan.steps.items():  # parents come first
        longest = _longest([alone[parent] for parent in parent_keys(step)])
        if isinstance(step, Train):
            longest = _longest([longest, {_first(plan, key, first): step.to_step - step.first_step}])
        alone[key] = longest
    return alone


def _longest(runs: Sequence[dict[Key, int]]) -> dict[Key, int]:
    """The union, with the larger number of steps of each training; not copied where one has all."""
    if len(runs) < 2:
        return runs[0] if runs else {}
    largest = max(runs, key=len)
    for other in runs:
        if any(steps > largest.get(run, -1) for run, steps in other.items()):
            largest = largest | {run: max(steps, largest.get(run, 0)) for run, steps in other.items()}
    return largest


def _first(plan: Plan, key: Key, known: dict[Key, Key]) -> Key:
    """The earliest state of a training, by which it is known."""
    way = []
    while key in plan.follows and key not in known:
        way.append(key)
        key = plan.follows[key]
    known |= dict.fromkeys(way, first := known.get(key, key))
    return first


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """A step that was done once: its pre-image, how long it took, and the state that a training was taken up from."""

    preimage: str
    wall_s: float
    resume: str | None = None
    size_bytes: int | None = None
    """What its artefact takes in the store; None if not recorded."""


ALIKE = (
    ("network", "model"), ("criterion", None), ("rounds", None), ("data", "dataset"), ("during", "rounds"),
    ("during", "criterion"),
)  # fmt: skip
"""The fields, and fields in them, whose entries decide what a step costs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What is to do; None if a kind of step was never done here, or not recorded."""

    wall_s: float | None
    """Seconds of one process."""
    size_bytes: int | None
    """Bytes that artefacts take in the store."""
    unknown: tuple[str, ...] = ()
    """What is to do that nothing like it was done here, or recorded: 'score (tiny-cnn, snip, digits)'."""
    known_s: float = 0.0
    """Seconds of the steps of which that is known."""
    known_bytes: int = 0
    """Bytes of the artefacts of which that is known."""
    kinds_s: Mapping[str, float]
    """The summands of `known_s`, by what steps are like, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What steps took, by what they are like: medians."""

    seconds: Mapping[str, float]
    """Of one unit of time: see `_units`."""
    size_bytes: Mapping[str, float]

    def __contains__(self, like: object) -> bool:
        """Whether both are known."""
        return like in self.seconds and like in self.size_bytes


def known(past: Iterable[Past]) -> Known:
    """What steps that were done took, for steps like them."""
    done = [(json.loads(step.preimage), step) for step in past]
    reached = {digest(step.preimage): int(body["to_step"]) for body, step in done if body["kind"] == "train"}
    rates: dict[str, list[float]] = {}
    sizes: dict[str, list[int]] = {}
    for body, step in done:
        like = _like_stored(body)
        if step.size_bytes is not None:
            sizes.setdefault(like, []).append(step.size_bytes)
        # The state that a training resumed from may have been removed since; then its time is unknown.
        if not step.resume or step.resume in reached:
            rates.setdefault(like, []).append(step.wall_s / _units_stored(body, reached.get(step.resume or "")))
    return Known(
        seconds={like: median(values) for like, values in rates.items()},
        size_bytes={like: median(values) for like, values in sizes.items()},
    )


def estimate(plan: Plan, todo: Collection[Key], past: Iterable[Past]) -> Estimate:
    """What is to do, from what like steps took: seconds, and bytes of artefacts.

    The time of a training is that of its images, each counted as often as it is seen. Its bytes do not depend on them.
    """
    before = known(past)
    units, steps = _wanted(plan, todo)
    unknown = [like for like in units if like not in before]
    kinds_s = {in_words(like): before.seconds[like] * count for like, count in units.items() if like in before.seconds}
    known_s, known_bytes = _total(units, before.seconds), round(_total(steps, before.size_bytes))
    return Estimate(
        wall_s=known_s if units.keys() <= before.seconds.keys() else None,
        size_bytes=known_bytes if units.keys() <= before.size_bytes.keys() else None,
        unknown=tuple(map(in_words, unknown)),
        known_s=known_s,
        known_bytes=known_bytes,
        kinds_s=kinds_s,
    )


def in_words(like: str) -> str:
    """What steps are like, for people: 'score (tiny-cnn, snip, digits)'."""
    kind, _, names = like.partition("/")
    return f"{kind} ({names.replace('/', ', ')})" if names else kind


def _wanted(plan: Plan, todo: Collection[Key]) -> tuple[Counter[str], Counter[str]]:
    """What is to do, by what the steps are like: in units of time, and in steps."""
    likes: dict[tuple[object, ...], str] = {}  # steps share their records, so few names are made
    units: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    for key in todo:
        step = plan.steps[key]
        shared = (step.kind, *[id(getattr(step, name, None)) for name, _ in ALIKE])
        like = likes.get(shared) or likes.setdefault(shared, like_of(step))
        units[like] += _units(plan, key)
        steps[like] += 1
    return units, steps


def _total(wanted: Mapping[str, int], known: Mapping[str, float]) -> float:
    """The sum over names of what steps are like, each with a number; without those that are not known."""
    return sum((known[like] * count for like, count in wanted.items() if like in known), 0.0)


def like_of(step: Step) -> str:
    """Steps that take about the same: of one kind, network and criterion."""
    names = [step.kind]
    for field, inner in ALIKE:
        value = getattr(step, field, None)
        if value is not None:
            names.append((getattr(value, inner) if inner else value).name)
    return "/".join(names)


def _like_stored(body: dict[str, Any]) -> str:
    """What `like_of` gives for the step of a pre-image."""
    names = [body["kind"]]
    for field, inner in ALIKE:
        value = body.get(field)
        if isinstance(value, dict):
            names.append((value[inner] if inner else value)["name"])
    return "/".join(map(str, names))


def _units(plan: Plan, key: Key) -> int:
    """What the time of a step is counted in: for a training the images of the steps that it still takes; else 1."""
    step = plan.steps[key]
    return max(1, _own_steps(plan, key)) * step.recipe.batch_size if isinstance(step, Train) else 1


def _units_stored(body: dict[str, Any], begun: int | None) -> int:
    """What `_units` gives for a stored step that was taken up at step `begun` of its training."""
    if body["kind"] != "train":
        return 1
    steps = int(body["to_step"]) - (int(body["first_step"]) if begun is None else begun)
    return max(1, steps) * int(body["recipe"]["batch_size"])
