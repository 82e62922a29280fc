"""Rounds in which the density falls in equal ratios (Tanaka et al. 2020)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prunectl.catalog.rounds import Rounds


class Exponential(Rounds):
    """Density keep^(k/count) after round k, without training between (Tanaka et al. 2020, Algorithm 1)."""

    name = "exponential"
    summary = "scored and pruned `count` times without training, density falling in equal ratios"

    count: Annotated[int, Field(ge=1, le=10_000, description="the number of rounds")]

    def targets(self, sparsity: float) -> list[float]:
        """1 − (1 − sparsity)^(k/count) for k = 1 … count; the last is exactly `sparsity`."""
        before = (1 - (1 - sparsity) ** (k / self.count) for k in range(1, self.count))
        return [*(min(target, sparsity) for target in before), sparsity]  # rounding never leads beyond the end
