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
        import torch

        optimizer = uncompiled(torch.optim.SGD)(
            parameters, lr=lr, momentum=self.momentum, nesterov=self.nesterov, weight_decay=weight_decay, fused=True
        )
        if self.momentum:
            optimizer.register_step_pre_hook(_take_up)
        return optimizer


def _take_up(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """Give a weight whose first gradient comes later than that of others (stochastic depth) a velocity of zero.

    torch's fused step gives all weights their velocity in the first step, and raises TypeError for such a weight.
    """
    import torch

    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if optimizer.state and len(optimizer.state) < len(parameters):
        for parameter in parameters:
            if parameter.grad is not None and parameter not in optimizer.state:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
