"""A dense training in place of a study's: 1,000 images, 10 epochs in batches of 100, which is 100 steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from prunectl.base.errors import StudyError
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.values import Length, When
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.schedules.constant import Constant
from prunectl.training.schedules.step import Step

IMAGES = 1000
RECIPE = Recipe(
    steps=100,
    steps_per_epoch=10,
    batch_size=100,
    optimizer=Sgd(),
    lr=0.1,
    weight_decay=1e-3,
    schedule=Step(milestones=(50, 80)),
    augment=(),
)


@dataclass(frozen=True, kw_only=True)
class SmallDense:
    """What retrainings ask of the dense training."""

    recipe: Recipe = RECIPE

    def changed(self, **keys: Any) -> Recipe:
        """The recipe with keys of [train] replaced; the length stays in epochs unless it is given."""
        batch_size = keys.pop("batch_size", self.recipe.batch_size)
        epochs, steps = keys.pop("epochs", None), keys.pop("steps", None)
        if epochs is None and steps is None:
            epochs = self.recipe.steps // self.recipe.steps_per_epoch
        keys["schedule"] = Constant() if keys["schedule"] == "constant" else keys["schedule"]
        per_epoch = IMAGES // batch_size
        length = steps if steps is not None else epochs * per_epoch
        return replace(self.recipe, steps=length, steps_per_epoch=per_epoch, batch_size=batch_size, **keys)

    def moment(self, when: When) -> int:
        """A moment as a step."""
        if isinstance(when, str):
            return {"init": 0, "end": self.recipe.steps}[when]
        step = when.step if when.step is not None else (when.epoch or 0) * self.recipe.steps_per_epoch
        if step > self.recipe.steps:
            raise StudyError(f"step {step} is beyond the end of the training")
        return step

    def length(self, budget: float | Length, recipe: Recipe) -> int:
        """A budget in steps."""
        if isinstance(budget, Length):
            return budget.steps or (budget.epochs or 0) * recipe.steps_per_epoch
        return round(budget * recipe.steps)


DENSE = SmallDense()
