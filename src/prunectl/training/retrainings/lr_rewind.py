"""Learning-rate rewinding (Renda et al. 2020, Section 2): the weights stay, the schedule begins again."""

from __future__ import annotations

from prunectl.base.errors import StudyError
from prunectl.catalog.retraining import After, Dense, OptimizerState, Retraining
from prunectl.catalog.values import Length


class RateRewind(Retraining):
    """The pruned network's own weights, trained with the last part of the recipe's schedule, as long as a budget."""

    name = "lr-rewind"
    summary = "weights stay, and the learning rate's schedule begins again"
    within_recipe = True
    redrawn = True

    optimizer_state: OptimizerState = "kept"

    def after(self, dense: Dense, budget: float | Length | None) -> After:
        """A budget b takes the schedule back to where its last b begins."""
        steps = dense.length(1.0 if budget is None else budget, dense.recipe)
        if steps > dense.recipe.steps:
            raise StudyError(f"{self.name} goes back by {steps} steps, and the training has only {dense.recipe.steps}")
        keeps = self.optimizer_state == "kept"
        return After(recipe=dense.recipe, first=dense.recipe.steps - steps, keeps=keeps)
