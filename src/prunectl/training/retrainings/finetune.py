"""Fine-tuning: training on at a small rate (Han et al. 2015; Renda et al. 2020, Section 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from prunectl.base.errors import StudyError
from prunectl.catalog.entry import Absent
from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.retraining import After, Budget, Dense, OptimizerState, Repeat, Retraining
from prunectl.catalog.schedule import Schedule
from prunectl.catalog.values import (
    BatchSize,
    Epochs,
    FlopsBudget,
    LearningRate,
    Penalty,
    Steps,
    WeightDecay,
    catalogued,
)


class Finetune(Retraining):
    """The pruned network's own weights, trained on with [train] and the changes given here.

    The rate is constant unless a schedule is given, and lasts as long as the recipe unless a length or a budget is.
    """

    name = "finetune"
    summary = "weights are trained on, at a small constant rate by default"
    one_of = ("epochs", "steps")
    needs_one = False

    lr: Annotated[LearningRate, Field(description="the learning rate that the schedule starts from")] = 0.001
    epochs: Annotated[Epochs | None, Field(description="length in passes over the training images")] = None
    steps: Annotated[Steps | None, Field(description="length in optimizer steps, instead of epochs")] = None
    batch_size: Annotated[BatchSize | None, Field(description="images per step; [train]'s unless given")] = None
    optimizer: Annotated[
        Annotated[Optimizer, *catalogued("optimizers")] | None, Field(description="[train]'s unless given")
    ] = None
    weight_decay: Annotated[WeightDecay | None, Field(description="[train]'s unless given")] = None
    bn_l1: Annotated[
        Penalty | None,
        Field(description="[train]'s unless given"),
        Absent(value=None),
    ] = None
    schedule: Annotated[
        Annotated[Schedule, *catalogued("schedules")] | None, Field(description="constant unless given")
    ] = None
    optimizer_state: OptimizerState = "kept"
    repeat: Repeat = 1

    def own_length(self) -> str | None:
        """`epochs` or `steps`, if given."""
        return "epochs" if self.epochs is not None else "steps" if self.steps is not None else None

    def unfit(self, optimizer: Optimizer) -> Iterator[tuple[str, str]]:
        """What one optimizer keeps is of no use to another."""
        if self.optimizer_state == "kept" and self.optimizer not in (None, optimizer):
            message = f"another optimizer cannot go on with what [train]'s, {optimizer.label()}, has kept"
            yield "optimizer", f'{message}: write optimizer_state = "fresh"'

    def after(self, dense: Dense, budget: Budget) -> After:
        """A budget is a fraction of this recipe's length, or a length."""
        keys = ("lr", "batch_size", "optimizer", "weight_decay", "bn_l1", "schedule")
        changes = {key: value for key in keys if (value := getattr(self, key)) is not None}
        if self.own_length() is not None:
            changes |= {"epochs": self.epochs, "steps": self.steps}
        recipe = dense.changed(**{"schedule": "constant", **changes})
        if isinstance(budget, FlopsBudget):
            raise StudyError(f"{self.name} has no schedule to stretch to a budget in FLOPs")
        if budget is not None:
            recipe = replace(recipe, steps=dense.length(budget, recipe))
        return After(recipe=recipe, keeps=self.optimizer_state == "kept", repeat=self.repeat)
