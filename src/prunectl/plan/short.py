"""Short versions of steps, which are timed where a plan has steps of which it is not known how long they take."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from statistics import median

from prunectl.plan.cost import Known, Past, like_of
from prunectl.plan.graph import Plan
from prunectl.plan.steps import Init, Key, Measure, Step, Train, preimage

SHORT, LONG, GROWTH = 2, 4, 4
"""The first two lengths that are timed, in units, and how much longer the next one is."""
ENOUGH_S = 1.0
"""Seconds by which the two lengths must differ: less is lost in how much equal steps differ."""
IMAGES = 125
"""The unit of a test's length, a quarter of the images that are tested at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """The seconds of a step at two lengths. Their difference is free of what is done once, at whatever length."""

    short: int
    short_s: float
    long: int
    long_s: float

    @property
    def each_s(self) -> float:
        """Seconds that each unit of length adds."""
        return max(0.0, self.long_s - self.short_s) / (self.long - self.short)

    def at(self, length: float) -> float:
        """Seconds at any length."""
        return self.long_s + (length - self.long) * self.each_s


def timed(run: Callable[[int], float], full: int, unit: int = 1) -> Timing:
    """Time a step at two lengths up to `full`, after once to warm up. `run` gives the seconds at a length."""
    run(min(unit, full))
    short, long = min(SHORT * unit, full), min(LONG * unit, full)
    if short == long:
        return Timing(short=0, short_s=0.0, long=full, long_s=run(full))
    short_s, long_s = run(short), run(long)
    while long < full and long_s - short_s < ENOUGH_S:
        long = min(long * GROWTH, full)
        long_s = run(long)
    return Timing(short=short, short_s=_typical(run, short, short_s), long=long, long_s=_typical(run, long, long_s))


def _typical(run: Callable[[int], float], length: int, first_s: float) -> float:
    """The median of three times, if that takes little time."""
    return first_s if first_s > ENOUGH_S else median([first_s, run(length), run(length)])


def unknown_steps(plan: Plan, todo: Collection[Key], before: Known) -> dict[str, Step]:
    """By what steps are like, the first step that is to do of each kind that is not known."""
    first: dict[str, Step] = {}
    for key in todo:
        step = plan.steps[key]
        first.setdefault(like_of(step), step)
    return {like: step for like, step in first.items() if like not in before}


def beginning(plan: Plan, step: Train | Measure) -> Init:
    """Where the short versions of a step begin: weights of its network without training."""
    return next(each for each in plan.steps.values() if isinstance(each, Init) and each.network == step.network)


def test_of(plan: Plan, step: Train | Measure) -> Measure | None:
    """A measurement on test images of the network and data of a step; None if the plan has none."""
    tests = (each for each in plan.steps.values() if isinstance(each, Measure) and each.part == "test")
    return next((each for each in tests if _pair(each) == _pair(step)), None)


def _pair(step: Train | Measure) -> tuple[str, str]:
    return step.network.model.name, step.data.dataset.name


def plain(step: Train) -> Train:
    """The training of its network and data that prunes nothing on the way."""
    return replace(step, during=None)


def short_training(step: Train, start: Key, steps: int) -> Train:
    """The first steps of a training, dense, without tests. A mask would hardly change how long they take."""
    return replace(
        plain(step), start=start, mask=None, stretch=None, optimizer="fresh", evaluate="never",
        to_step=step.first_step + steps,
    )  # fmt: skip


def short_test(step: Measure, state: Key, images: int) -> Measure:
    """A measurement on some of the test images of a network without mask."""
    return replace(step, state=state, mask=None, data=replace(step.data, test_limit=images))


def length_of(step: Train) -> int:
    """Optimizer steps of a training."""
    return step.to_step - step.first_step


def tests_in(step: Train) -> int:
    """The number of points of a training's curve: each is a test of the network."""
    if step.evaluate == "never":
        return 0
    interval = step.recipe.steps_per_epoch if step.evaluate == "epoch" else step.evaluate
    at_end = step.to_step == step.recipe.steps and step.to_step % interval != 0
    return step.to_step // interval - step.first_step // interval + at_end


def as_past(step: Train, short: Train, timing: Timing, *, test_s: float, size_bytes: int | None) -> Past:
    """What a whole training takes, from the timing of a short one of its network and data."""
    length = length_of(step) * step.recipe.batch_size / short.recipe.batch_size
    wall_s = max(0.0, timing.at(length)) + tests_in(step) * test_s
    return Past(preimage=preimage(step), wall_s=wall_s, size_bytes=size_bytes)
