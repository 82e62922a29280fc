"""Learning-rate rewinding (Renda et al. 2020, Section 2): the weights stay, the schedule begins again."""

from __future__ import annotations

from dataclasses import replace

from prunectl.catalog.retraining import After, Budget, Dense, OptimizerState, Repeat, Retraining
from prunectl.catalog.values import FlopsBudget


class RateRewind(Retraining):
    """The pruned network's own weights, trained with the last part of the recipe's schedule, as long as a budget.

    A budget beyond the recipe stretches its schedule (Liu et al. 2019, "scratch-B").
    """

    name = "lr-rewind"
    summary = "weights stay, and the learning rate's schedule begins again"
    stretches = True
    redrawn = True

    optimizer_state: OptimizerState = "kept"
    repeat: Repeat = 1

    def after(self, dense: Dense, budget: Budget) -> After:
        """A budget b takes the schedule back to where its last b begins, or stretches it if b is more than all."""
        keeps = self.optimizer_state == "kept"
        within = 1.0 if budget is None else budget
        first = -1 if isinstance(within, FlopsBudget) else dense.recipe.steps - dense.length(within, dense.recipe)
        if first < 0:
            return replace(After.whole(dense, budget, keeps=keeps), repeat=self.repeat)
        return After(recipe=dense.recipe, first=first, keeps=keeps, repeat=self.repeat)
