"""A recipe with everything resolved to steps, and the learning rate that it gives at each of them. No torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prunectl.catalog.entry import Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How a network is trained. All moments are in optimizer steps."""

    steps: int
    steps_per_epoch: int
    batch_size: int
    optimizer: str
    lr: float
    momentum: float
    nesterov: bool
    weight_decay: float
    schedule: str
    milestones: tuple[int, ...]
    gamma: float
    warmup: int
    augment: tuple[Entry, ...]


def _constant(recipe: Recipe, step: int) -> float:
    return 1.0


def _step(recipe: Recipe, step: int) -> float:
    return recipe.gamma ** sum(step >= milestone for milestone in recipe.milestones)


def _cosine(recipe: Recipe, step: int) -> float:
    return (1 + math.cos(math.pi * step / recipe.steps)) / 2


def _linear(recipe: Recipe, step: int) -> float:
    return 1 - step / recipe.steps


SCHEDULES: Mapping[str, Callable[[Recipe, int], float]] = {
    "constant": _constant,
    "step": _step,
    "cosine": _cosine,
    "linear": _linear,
}


def learning_rate(recipe: Recipe, step: int) -> float:
    """The rate of the step that follows `step` finished ones, 0 ≤ step < steps; warmup rises linearly to it."""
    warm = min(1.0, (step + 1) / recipe.warmup) if recipe.warmup else 1.0
    return recipe.lr * warm * SCHEDULES[recipe.schedule](recipe, step)
