"""Small trainings for tests: a recipe, images, masks of the small network, and whether two trainings are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from networks import SHAPE, small_network
from prunectl.catalog import hook as hooks
from prunectl.catalog.recipe import Recipe
from prunectl.training.optimizers.adam import Adam
from prunectl.training.optimizers.adamw import AdamW
from prunectl.training.optimizers.rmsprop import RmsProp
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.pixels import Normalize
from prunectl.training.schedules.step import Step
from prunectl.training.source import InMemory
from prunectl.training.trainee import Material, Trainee, Training, begin

OPTIMIZERS = [Sgd(), Sgd(nesterov=True), Sgd(momentum=0.0), Adam(), AdamW(), RmsProp(), RmsProp(momentum=0.9)]
"""Whatever an optimizer keeps of a weight, one of these keeps it."""

RECIPE = Recipe(
    steps=20,
    steps_per_epoch=5,
    batch_size=8,
    optimizer=Sgd(),
    lr=0.1,
    weight_decay=1e-2,
    schedule=Step(milestones=(10, 15)),
    augment=(),
)


def material(seed: int = 0, count: int = 39) -> Material:
    """Random images of three classes."""
    draws = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, *SHAPE), generator=draws, dtype=torch.uint8)
    labels = torch.arange(count) % 3
    return Material(
        train=InMemory(images, labels),
        test=InMemory(images[:7], labels[:7]),
        normalize=Normalize([0.5], [0.3], torch.device("cpu")),
    )


def training(count: int = 39, **changes: Any) -> Training:
    """A training with seed 3, on `count` images, with changes of the recipe."""
    return Training(material=material(count=count), recipe=replace(RECIPE, **changes), seed=3)


def trainee(
    whole: Training | None = None,
    *,
    masks: Mapping[str, Tensor] | None = None,
    hooks: Sequence[hooks.Hook] = (),
    step: int = 0,
    seed: int = 0,
) -> Trainee:
    """The small network at the beginning of a training."""
    return begin(small_network(seed=seed), whole or training(), masks=masks, hooks=hooks, step=step)


def masks(share: float = 0.5, seed: int = 5) -> dict[str, Tensor]:
    """Random masks of three layers of the small network, that keep about this share."""
    draws = torch.Generator().manual_seed(seed)
    names = {"0.weight": (4, 1, 3, 3), "3.conv.weight": (4, 4, 3, 3), "6.weight": (36, 36)}
    return {name: torch.rand(shape, generator=draws) < share for name, shape in names.items()}


def same(one: Trainee, other: Trainee) -> bool:
    """Whether two trainings are equal in every bit."""
    (tensors, numbers), (others, other_numbers) = one.dump(), other.dump()
    return (
        numbers == other_numbers
        and tensors.keys() == others.keys()
        and all(torch.equal(tensors[name], others[name]) for name in tensors)
    )


class Called(hooks.Hook):
    """Calls a function after every step."""

    def __init__(self, function: Callable[[hooks.Trainee], None]) -> None:
        self.function = function

    def after(self, trainee: hooks.Trainee) -> None:
        self.function(trainee)
