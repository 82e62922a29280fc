"""Rounds in which the density falls in equal steps."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prunectl.catalog.rounds import Rounds


class Linear(Rounds):
    """Sparsity target · k / count after round k, without training between."""

    name = "linear"
    summary = "scored and pruned `count` times without training, density falling in equal steps"

    count: Annotated[int, Field(ge=1, le=10_000, description="the number of rounds")]

    def targets(self, sparsity: float) -> list[float]:
        """sparsity · k / count for k = 1 … count; the last is exactly `sparsity`."""
        return [*(sparsity * (k / self.count) for k in range(1, self.count)), sparsity]
