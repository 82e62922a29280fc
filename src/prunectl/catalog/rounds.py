"""What every kind of rounds declares: how a sparsity is reached. Pure numbers, no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from prunectl.catalog.entry import Entry
from prunectl.catalog.hook import Pruning, Trainee
from prunectl.catalog.masks import Pruned
from prunectl.catalog.recipe import Recipe
from prunectl.catalog.required import required
from prunectl.catalog.retraining import Dense


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What rounds that prune during training build their hook from."""

    recipe: Recipe
    seed: int
    sparsity: float
    """As the study asks for it. `prune` and `scatter` take such numbers: they know what it is a fraction of."""
    prune: Callable[[Trainee, float], Pruned]
    """Scores the weights of the moment, and prunes to a sparsity: what is gone stays gone. The trainee is unchanged."""
    scatter: Callable[[Trainee, float], Pruned]
    """Random masks at a sparsity; each layer has the density that the scope gives it."""


class Rounds(Entry):
    """An entry of the rounds."""

    retrains: ClassVar[bool] = False
    """Whether the network is trained between two levels: then each sparsity of the sweep is a level, and the
    masks of a level come from the network of the one before. Such rounds prune each level as the criterion does."""
    during: ClassVar[bool] = False
    """Whether masks change while the network is trained: then the rounds determine the moments (an arm has no `at`),
    nothing is retrained afterwards, and `hook` does the work."""
    grows: ClassVar[bool] = False
    """Of rounds during training, whether pruned weights may grow back. Such rounds choose single weights, and their
    masks cannot be ablated."""
    own_scope: ClassVar[str | None] = None
    """The scope of an arm that gives none, as a study would write it; None: that of all other arms."""
    criteria: ClassVar[tuple[str, ...] | None] = None
    """The names of the criteria that it goes with; None: every one."""

    @classmethod
    def dispensable(cls) -> frozenset[str]:
        """All but the one that gives the moments: `hook` during training, `levels` with it between, else `targets`."""
        during, retrains = getattr(cls, "during", False), getattr(cls, "retrains", False)
        return frozenset({"hook", "levels", "targets"}) - {"hook" if during else "levels" if retrains else "targets"}

    @required
    def targets(self, sparsity: float) -> list[float]:
        """The sparsity after each round of scoring and pruning, without training between; the last is `sparsity`.

        Every value is counted from the target, so that rounding does not drift. A single one means that the scores
        serve every sparsity, and are shared.
        """
        return [sparsity]

    @required
    def levels(self, reached: float, sparsity: float) -> Iterator[float]:
        """The retrained levels on the way from one sparsity to the next, both exclusive; only where `retrains`."""
        return iter(())

    def problems(self, rate: float) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What contradicts a sweep in levels that each remove `rate` of what is left, each with its place here."""
        return iter(())

    def unreachable(self, sparsity: float) -> tuple[str, str] | None:
        """The parameter that makes a sparsity above 0 impossible, and why; None if it can be reached."""
        return None

    def first(self, dense: Dense) -> int:
        """The step of the dense training at which masks begin; all sparsities share the training up to there.

        Only where `during`. Raises StudyError for a moment beyond the end of the training.
        """
        return 0

    def in_steps(self, dense: Dense) -> Self:
        """The same rounds with every moment and length counted in steps of the dense training; only where `during`.

        Raises StudyError for moments that do not lie in the training, or not in order.
        """
        return self

    @required
    def hook(self, setting: Setting) -> Pruning:
        """What changes the masks of a training; only where `during`, and with everything counted in steps."""
        raise NotImplementedError
