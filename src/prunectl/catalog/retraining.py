"""What every kind of retraining declares: what follows pruning at the end of the training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import Field

from prunectl.catalog.entry import Entry
from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.recipe import Recipe, Stretch, stretched
from prunectl.catalog.required import required
from prunectl.catalog.values import FlopsBudget, Length, When


class Dense(Protocol):
    """The dense training that a retraining follows, with everything counted in steps."""

    @property
    def recipe(self) -> Recipe:
        """[train]."""
        ...

    def changed(self, **keys: Any) -> Recipe:
        """The recipe with some keys of [train] replaced."""
        ...

    def moment(self, when: When) -> int:
        """A moment of the dense training as a step of it. Raises StudyError beyond its end."""
        ...

    def length(self, budget: float | Length, recipe: Recipe) -> int:
        """A budget in steps; a fraction is one of `recipe`."""
        ...


Budget = float | Length | FlopsBudget | None
"""How long a retraining takes: a fraction of the recipe, a length, the FLOPs of the dense training; None: it has none,
or a length of its own."""

Repeat = Annotated[
    int, Field(ge=1, le=1000, description="how many times it is done, each from what the one before has left")
]
"""The parameter `repeat` of a retraining. Each repetition has the same images in the same order."""

OptimizerState = Annotated[
    Literal["kept", "fresh"], Field(description="whether the optimizer goes on with its momentum, or begins again")
]
"""The parameter `optimizer_state` of a retraining. Renda et al. (2020) keep it, in their code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class After:
    """What is done to a network after it was pruned. Steps are those of `recipe`.

    `weights` is the step of the dense training that weights come from, None for those of the pruned network.
    Without a recipe nothing is trained. `first` is the step of the recipe that training begins at; `keeps` is
    whether the optimizer goes on with what it kept of the weights. `stretch` makes the recipe longer once the mask
    is known; `repeat` is how many trainings there are, each going on from the one before.
    """

    weights: int | None = None
    recipe: Recipe | None = None
    first: int = 0
    keeps: bool = False
    recalibrates: bool = False
    stretch: Stretch | None = None
    repeat: int = 1

    @classmethod
    def whole(cls, dense: Dense, budget: Budget, *, keeps: bool = False) -> After:
        """The recipe from its start, with its schedule stretched to a budget."""
        if isinstance(budget, FlopsBudget):
            return cls(recipe=dense.recipe, keeps=keeps, stretch=Stretch(cap=budget.cap))
        steps = dense.recipe.steps if budget is None else dense.length(budget, dense.recipe)
        return cls(recipe=stretched(dense.recipe, steps), keeps=keeps)

    @property
    def steps(self) -> int:
        """How many optimizer steps it takes; where the mask decides, as many as without a stretch."""
        return 0 if self.recipe is None else (self.recipe.steps - self.first) * self.repeat


class Retraining(Entry):
    """An entry of the retrainings. Its parameters stand in the entry; how long it takes is the key `budget`."""

    trains: ClassVar[bool] = True
    """Whether weights are trained: iterative rounds need it."""
    early: ClassVar[bool] = False
    """Whether it goes with pruning before the end of the training, where the rest of the recipe follows anyway."""
    budgeted: ClassVar[bool] = True
    """Whether its length is given by a budget."""
    within_recipe: ClassVar[bool] = False
    """Whether it cannot take longer than the recipe: it goes back in it."""
    stretches: ClassVar[bool] = False
    """Whether it can take longer than the recipe, whose schedule is then stretched."""
    redrawn: ClassVar[bool] = False
    """Whether it goes with weights that are drawn again: these take the whole recipe from its start, whatever the
    retraining goes back to (see `After.whole`). Frankle et al. (2021), Section 5."""

    def own_length(self) -> str | None:
        """The parameter that sets its length, if one was given: a budget would contradict it."""
        return None

    def settled(self, budget: Budget) -> tuple[Retraining, Budget]:
        """The one way to write a retraining and its budget, where there are several. None is no budget at all.

        Without a length of its own, a retraining takes the whole recipe: a budget of 1.
        """
        if not self.budgeted or self.own_length() is not None:
            return self, None
        return self, 1.0 if budget is None else budget

    def unfit(self, optimizer: Optimizer) -> Iterator[tuple[str, str]]:
        """What does not go with [train]'s optimizer, each with the parameter that it is about."""
        return iter(())

    @required
    def after(self, dense: Dense, budget: Budget) -> After:
        """What is done after pruning, with the settled budget. Raises StudyError for what the training is too short
        for."""
        raise NotImplementedError
