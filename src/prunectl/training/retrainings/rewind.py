"""Rewinding with weights and schedule apart (Renda et al. 2020, Section 7, name it as future work)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prunectl.base.errors import StudyError
from prunectl.catalog.retraining import After, Budget, Dense, OptimizerState, Retraining
from prunectl.catalog.values import When


class Rewind(Retraining):
    """Weights, BatchNorm and optimizer state of step K; the schedule from step J to its end: N − J steps.

    K = J is weight rewinding, K = end and J = 0 is learning-rate rewinding: the same bits, and the same artefacts.
    """

    name = "rewind"
    summary = "weights go back to one moment, and the learning rate's schedule to another"
    redrawn = True

    weights: Annotated[When, Field(description="the moment of the dense training that weights go back to")] = "init"
    schedule: Annotated[When, Field(description="where in the recipe the schedule goes on from, to its end")] = "init"
    optimizer_state: OptimizerState = "kept"

    def own_length(self) -> str | None:
        """Where the schedule goes on from."""
        return "schedule"

    def after(self, dense: Dense, budget: Budget) -> After:
        """Weights at the end are those that the pruned network has already. Raises StudyError if nothing is left."""
        weights, first = dense.moment(self.weights), dense.moment(self.schedule)
        if first == dense.recipe.steps:
            raise StudyError(f"{self.label()} leaves nothing of the schedule: it goes on from its end")
        keeps = weights > 0 and self.optimizer_state == "kept"
        return After(
            weights=None if weights == dense.recipe.steps else weights, recipe=dense.recipe, first=first, keeps=keeps
        )
