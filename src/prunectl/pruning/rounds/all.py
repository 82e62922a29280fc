from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prunectl.catalog.rounds import Rounds


class OneShot(Rounds):
    name = "one-shot"
    summary = "c"


class Exponential(Rounds):
    name = "exponential"
    summary = "c"
    count: Annotated[int, Field(ge=1, le=10000)]

    def targets(self, sparsity):
        return [1 - (1 - sparsity) ** (k / self.count) for k in range(1, self.count)] + [sparsity]


class Linear(Rounds):
    name = "linear"
    summary = "c"
    count: Annotated[int, Field(ge=1, le=10000)]

    def targets(self, sparsity):
        return [sparsity * k / self.count for k in range(1, self.count)] + [sparsity]


class Iterative(Rounds):
    name = "iterative"
    summary = "c"
    retrains = True
    rate: Annotated[float, Field(gt=0, lt=1)] | None = None

    def levels(self, reached, sparsity):
        if self.rate is None:
            return
        while (f := 1 - (1 - reached) * (1 - self.rate)) < sparsity - 1e-9:
            yield f
            reached = f
