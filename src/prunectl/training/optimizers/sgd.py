"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.slips import refused
from prunectl.catalog.values import Fraction

if TYPE_CHECKING:
    import torch
    from torch import nn


class Sgd(Optimizer):
    """v ← momentum · v + (∇ + weight_decay · w), w ← w − lr · v: Polyak (1964), as torch.optim.SGD has it.

    With `nesterov` the step is along momentum · v + (∇ + weight_decay · w) (Sutskever et al. 2013).
    """

    name = "sgd"
    summary = "stochastic gradient descent with `momentum`, which may be Nesterov's"

    momentum: Annotated[Fraction, Field(description="how much of the last step goes into the next")] = 0.9
    nesterov: Annotated[bool, Field(description="Nesterov's momentum")] = False

    @model_validator(mode="after")
    def _moving(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise refused("nesterov needs a momentum above 0", path=("nesterov",))
        return self

    def build(self, parameters: Sequence[nn.Parameter], *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """torch's, fused."""
        import torch

        return torch.optim.SGD(
            parameters, lr=lr, momentum=self.momentum, nesterov=self.nesterov, weight_decay=weight_decay, fused=True
        )
