"""Levels with retraining between them (Han et al. 2015; Frankle & Carbin 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from prunectl.catalog.rounds import Rounds

SAME = 1e-9
"""Two sparsities nearer than this are one level."""


class Iterative(Rounds):
    """Prune a trained network, retrain it, prune again: every sparsity of the sweep is a level, and a trial.

    With a `rate`, no level removes more than this fraction of what is left: where two sparsities of the sweep are
    further apart, there are levels between them (20 % in Frankle & Carbin 2019, Section 2).
    """

    name = "iterative"
    summary = "pruned, retrained, pruned again: every level is a trial"
    retrains = True

    rate: Annotated[float, Field(ge=0.001, lt=1)] | None = Field(  # less would be millions of trainings
        default=None,
        description="the fraction of what is left that a level removes; without it, the sweep's sparsities are the "
        "levels",
    )

    def levels(self, reached: float, sparsity: float) -> Iterator[float]:
        """1 − (1 − reached)(1 − rate)^k for k = 1, 2, … as long as it is below `sparsity`."""
        if self.rate is None:
            return
        while (following := 1 - (1 - reached) * (1 - self.rate)) < sparsity - SAME:
            yield following
            reached = following

    def problems(self, rate: float) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Another rate than that of the sweep's levels."""
        if self.rate not in (None, rate):
            yield ("rate",), f"each level removes {self.rate} here, but {rate} in sweep.levels"
