"""Small trainings that prune on the way, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from networks import SHAPE, batch
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.hook import Hook, Pruning
from prunectl.catalog.lookup import read_entry
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.rounds import Rounds, Setting
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure
from prunectl.catalog.values import Length, When
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.cut import Cut
from prunectl.pruning.during import Pruner
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.structures.weights import Weights
from prunectl.training.trainee import Trainee, Training, begin
from trainings import RECIPE


class InSteps:
    """The dense training that `RECIPE` describes."""

    recipe = RECIPE

    def changed(self, **keys: Any) -> Recipe:
        raise NotImplementedError

    def moment(self, when: When) -> int:
        if isinstance(when, str):
            return {"init": 0, "end": self.recipe.steps}[when]
        return when.step if when.step is not None else (when.epoch or 0) * self.recipe.steps_per_epoch

    def length(self, budget: float | Length, recipe: Recipe) -> int:
        assert isinstance(budget, Length)
        return budget.steps if budget.steps is not None else (budget.epochs or 0) * recipe.steps_per_epoch


def rounds(written: str | dict[str, Any]) -> Rounds:
    """As a study file writes them, resolved to steps."""
    return read_entry("rounds", written, Rounds).in_steps(InSteps())


def small_perceptron(seed: int = 0) -> nn.Sequential:
    """Two linear layers of 36 · 10 and 10 · 3 weights; images (1, 6, 6), 3 classes."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 10), nn.ReLU(), nn.Linear(10, 3))


def pruner(network: nn.Module, criterion: Criterion, scope: Scope, structure: Structure, *, invert: bool) -> Pruner:
    """Of all layers, with one batch of random images."""
    return Pruner(
        criterion=criterion,
        cut=Cut(units=structure.units(network, SHAPE), scope=scope, invert=invert),
        exclude=(),
        of="prunable",
        shape=SHAPE,
        seed=3,
        batches=lambda: [batch()],
    )


def pruned_training(
    way: Rounds,
    network: nn.Module,
    whole: Training,
    *,
    sparsity: float = 0.75,
    criterion: Criterion | None = None,
    scope: Scope | None = None,
    structure: Structure | None = None,
    invert: bool = False,
    others: Sequence[Hook] = (),
) -> Trainee:
    """A training at its beginning, with the hook of the rounds before the others."""
    made = pruner(network, criterion or Magnitude(), scope or Global(), structure or Weights(), invert=invert)
    hook: Pruning = way.hook(
        Setting(recipe=whole.recipe, seed=whole.seed, sparsity=sparsity, prune=made.prune, scatter=made.scatter)
    )
    return begin(network, whole, masks=made.dense(prunable(network)), hooks=[hook, *others])
