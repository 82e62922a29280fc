"""Weight rewinding (Frankle et al. 2020; Renda et al. 2020, Section 2): earlier weights, and the rest of the recipe."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prunectl.base.errors import StudyError
from prunectl.catalog.retraining import After, Budget, Dense, OptimizerState, Retraining
from prunectl.catalog.values import FlopsBudget, When


class WeightRewind(Retraining):
    """Surviving weights, BatchNorm and optimizer state go back to an earlier step; the schedule goes on from there.

    Where they go back to is given by `to`, or by a budget b: to where the last b of the recipe begins. To go back
    to the start and to spend the whole recipe are the same, and are written in one way: `to = "init"`, budget 1.
    """

    name = "weight-rewind"
    summary = "weights and optimizer state go back to an earlier step, and are trained on from there"
    within_recipe = True
    redrawn = True

    to: Annotated[When | None, Field(description="the moment of the dense training that weights go back to")] = "init"
    optimizer_state: OptimizerState = "kept"

    def own_length(self) -> str | None:
        """`to`, if given."""
        return "to" if "to" in self.model_fields_set and self.to is not None else None

    def settled(self, budget: Budget) -> tuple[Retraining, Budget]:
        """To the start, it takes a budget of 1; with another budget there is no moment to go back to but that."""
        if self.to not in (None, "init"):
            return self, None
        if budget in (None, 1.0):
            return WeightRewind(optimizer_state=self.optimizer_state), 1.0
        return WeightRewind(to=None, optimizer_state=self.optimizer_state), budget

    def after(self, dense: Dense, budget: Budget) -> After:
        """From step K the weights, the optimizer state (unless it is to be fresh) and the schedule."""
        if isinstance(budget, FlopsBudget):
            raise StudyError(f"{self.name} goes back in the recipe, and cannot be stretched to a budget in FLOPs")
        if budget is None:
            first = dense.moment(self.to or "init")
        else:
            first = dense.recipe.steps - dense.length(budget, dense.recipe)
        if first < 0:
            raise StudyError(
                f"{self.name} goes back by {dense.recipe.steps - first} steps, and the training has only "
                f"{dense.recipe.steps}"
            )
        keeps = first > 0 and self.optimizer_state == "kept"
        return After(weights=first, recipe=dense.recipe, first=first, keeps=keeps)
