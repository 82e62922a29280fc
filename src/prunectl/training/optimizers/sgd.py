"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from prunectl.base.errors import Problem
from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.values import Fraction
from prunectl.training.uncompiled import uncompiled

if TYPE_CHECKING:
    import torch
    from torch import nn


class Sgd(Optimizer):
    """v ← momentum · v + (∇ + weight_decay · w), w ← w − lr · v: Polyak (1964), as torch.optim.SGD has it.

    With `nesterov` the step is along momentum · v + (∇ + weight_decay · w) (Sutskever et al. 2013).
    """

    name = "sgd"
    summary = "stochastic gradient descent with `momentum`, which may be Nesterov's"
    capturable = True

    momentum: Annotated[Fraction, Field(description="how much of the last step goes into the next")] = 0.9
    nesterov: Annotated[bool, Field(description="Nesterov's momentum")] = False

    @classmethod
    def rules(cls, table: Mapping[str, Any]) -> Iterator[Problem]:
        """Nesterov's momentum needs some."""
        if table.get("nesterov") is True and table.get("momentum") == 0:
            yield Problem(path=("nesterov",), message="nesterov needs a momentum above 0")

    def build(self, parameters: Sequence[nn.Parameter], *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """torch's, fused."""
        from prunectl.training.fused_sgd import FusedSgd

        return uncompiled(FusedSgd)(
            parameters, lr=lr, momentum=self.momentum, nesterov=self.nesterov, weight_decay=weight_decay, fused=True
        )
