"""What every optimizer declares: how gradients become steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required

if TYPE_CHECKING:
    import torch
    from torch import nn


class Optimizer(Entry):
    """An entry of the optimizers. Learning rate and weight decay are the recipe's; all else is a parameter here."""

    capturable: ClassVar[bool] = False
    """Whether a step on a GPU can be recorded as a CUDA graph: every step calls the same operations, in which the rate
    is read from a tensor on the GPU, `group["lr"]`. On the CPU it is a number."""

    @required
    def build(self, parameters: Sequence[nn.Parameter], *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """A fresh optimizer of these parameters; the loop sets the rate of every step.

        What it keeps of a weight (momentum, ...) has the weight's shape, so that it can be zeroed with its mask.
        """
        raise NotImplementedError
