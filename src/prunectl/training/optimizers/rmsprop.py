"""RMSprop: Hinton (2012)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.values import Fraction
from prunectl.training.uncompiled import uncompiled

if TYPE_CHECKING:
    import torch
    from torch import nn


class RmsProp(Optimizer):
    """Steps divided by the root of a running mean of squared gradients: Hinton (2012), Coursera lecture 6e.

    As torch.optim.RMSprop has it: `centered` divides by the standard deviation instead (Graves 2013, Section 2.1).
    """

    name = "rmsprop"
    summary = "steps divided by the root of a running mean of squared gradients"
    capturable = True

    alpha: Annotated[Fraction, Field(description="decay of the mean of squares")] = 0.99
    # Not 0: a pruned weight has no mean of squares, and its step would be 0/0.
    eps: Annotated[float, Field(gt=0, le=1, description="added to the root")] = 1e-8
    momentum: Annotated[Fraction, Field(description="how much of the last step goes into the next")] = 0.0
    centered: Annotated[bool, Field(description="divide by the standard deviation")] = False

    def build(self, parameters: Sequence[nn.Parameter], *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """torch's own, which is not fused."""
        import torch

        return uncompiled(torch.optim.RMSprop)(
            parameters,
            lr=lr,
            alpha=self.alpha,
            eps=self.eps,
            momentum=self.momentum,
            centered=self.centered,
            weight_decay=weight_decay,
        )
