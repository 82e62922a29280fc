"""A recipe with everything resolved to steps, and the learning rate that it gives at each of them. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.schedule import Schedule

Precision = Literal["float32", "tf32", "bfloat16"]
"""The arithmetic of a training's forward and backward passes; what it means is in `training/precision.py`."""


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
    precision: Precision = field(default="float32", metadata={"absent": "float32"})
    label_smoothing: float = field(default=0.0, metadata={"absent": 0.0})
    """The share of each label that is spread evenly over all classes (Szegedy et al. 2016, Section 7)."""
    clip_norm: float | None = field(default=None, metadata={"absent": None})
    """The largest L2 norm of all gradients together (Pascanu et al. 2013, Algorithm 1); None does not limit it."""
    bn_l1: float = field(default=0.0, metadata={"absent": 0.0})
    """bn_l1 · sign(γ) is added to the gradient of each BatchNorm scale γ (Liu et al. 2017)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A recipe made longer by what a mask saves, its schedule in proportion (Liu et al. 2019, "scratch-B")."""

    cap: float | None
    """At most this many times the recipe."""

    def length(self, recipe: Recipe, saving: Fraction) -> int:
        """Steps of a training whose every step costs 1/`saving` of a dense one, in whole epochs if the recipe has."""
        factor = saving if self.cap is None else min(saving, Fraction(self.cap))
        unit = 1 if recipe.steps % recipe.steps_per_epoch else recipe.steps_per_epoch
        return math.floor(recipe.steps // unit * factor) * unit


def stretched(recipe: Recipe, steps: int) -> Recipe:
    """The recipe made `steps` long, its schedule in proportion (Liu et al. 2019, "scratch-B")."""
    if steps == recipe.steps:
        return recipe
    return replace(recipe, steps=steps, schedule=recipe.schedule.stretched(Fraction(steps, recipe.steps)))


def learning_rate(recipe: Recipe, step: int) -> float:
    """The rate of the step that follows `step` finished ones, 0 ≤ step < steps; warmup rises linearly to it."""
    return recipe.lr * recipe.schedule.warm(step) * recipe.schedule.factor(step, recipe.steps)
