"""What every kind of rounds declares: how a sparsity is reached. Pure numbers, no torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from prunectl.catalog.entry import Entry


class Rounds(Entry):
    """An entry of the rounds."""

    retrains: ClassVar[bool] = False
    """Whether the network is trained between two levels: then each sparsity of the sweep is a level, and the
    masks of a level come from the network of the one before. Such rounds prune each level as the criterion does."""

    def targets(self, sparsity: float) -> list[float]:
        """The sparsity after each round of scoring and pruning, without training between; the last is `sparsity`.

        Every value is counted from the target, so that rounding does not drift. A single one means that the scores
        serve every sparsity, and are shared.
        """
        return [sparsity]

    def levels(self, reached: float, sparsity: float) -> Iterator[float]:
        """The retrained levels on the way from one sparsity to the next, both exclusive; only where `retrains`."""
        return iter(())

    def problems(self, rate: float) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What contradicts a sweep in levels that each remove `rate` of what is left, each with its place here."""
        return iter(())
