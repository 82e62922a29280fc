"""AdamW: Loshchilov and Hutter (2019)."""

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


class AdamW(Optimizer):
    """Adam with weight decay apart from the gradient: Loshchilov and Hutter (2019), Algorithm 2."""

    name = "adamw"
    summary = "Adam, with weight decay apart from the gradient"
    capturable = True

    beta1: Annotated[Fraction, Field(description="decay of the mean of the gradients")] = 0.9
    beta2: Annotated[Fraction, Field(description="decay of the mean of their squares")] = 0.999
    # Not 0: a pruned weight has no moments, and its step would be 0/0.
    eps: Annotated[float, Field(gt=0, le=1, description="added to the root of the second moment")] = 1e-8

    def build(self, parameters: Sequence[nn.Parameter], *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """torch's, fused."""
        import torch

        return uncompiled(torch.optim.AdamW)(
            parameters, lr=lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=weight_decay, fused=True
        )
