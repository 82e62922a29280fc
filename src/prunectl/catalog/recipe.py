"""A recipe with everything resolved to steps, and the learning rate that it gives at each of them. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.schedule import Schedule


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How a network is trained. All moments are in optimizer steps."""

    steps: int
    steps_per_epoch: int
    batch_size: int
    optimizer: Optimizer
    lr: float
    weight_decay: float
    schedule: Schedule
    augment: tuple[Augmentation, ...]
    bn_l1: float = field(default=0.0, metadata={"absent": 0.0})
    """bn_l1 · sign(γ) is added to the gradient of each BatchNorm scale γ (Liu et al. 2017)."""


def stretched(recipe: Recipe, steps: int) -> Recipe:
    """The recipe made `steps` long, its schedule in proportion (Liu et al. 2019, "scratch-B")."""
    if steps == recipe.steps:
        return recipe
    return replace(recipe, steps=steps, schedule=recipe.schedule.stretched(Fraction(steps, recipe.steps)))


def learning_rate(recipe: Recipe, step: int) -> float:
    """The rate of the step that follows `step` finished ones, 0 ≤ step < steps; warmup rises linearly to it."""
    return recipe.lr * recipe.schedule.warm(step) * recipe.schedule.factor(step, recipe.steps)
