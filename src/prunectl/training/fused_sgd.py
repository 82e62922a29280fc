"""torch's fused SGD with little around it: half of its step on a small network is Python that prepares the step.

Only steps that need it are prepared: the first, and those in which a weight has no gradient.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import torch
from torch import Tensor

VELOCITY = "momentum_buffer"
_prepared_step = inspect.unwrap(torch.optim.SGD.step)


class FusedSgd(torch.optim.SGD):
    """`torch.optim.SGD(..., fused=True)` with one group of parameters, bit for bit."""

    _one_kind: bool | None = None

    def step(self, closure: None = None) -> None:  # type: ignore[override]  # the training loop has no closure
        """One step; weights without a gradient stay as they are. Raises ValueError for several groups."""
        (group,) = self.param_groups
        weights: list[Tensor] = group["params"]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        velocities = [self.state[weight][VELOCITY] for weight in weights if VELOCITY in self.state.get(weight, {})]
        ready = len(gradients) == len(weights) and len(velocities) == (len(weights) if group["momentum"] else 0)
        with torch.no_grad():
            if not (ready and self._alike()):
                self._take_up(weights)
                _prepared_step(self)
                return
            torch._fused_sgd_(
                weights,
                gradients,
                velocities,
                weight_decay=group["weight_decay"],
                momentum=group["momentum"],
                lr=group["lr"],
                dampening=group["dampening"],
                nesterov=group["nesterov"],
                maximize=group["maximize"],
                is_first_step=False,
            )

    def _alike(self) -> bool:
        """Whether one call of the kernel takes all weights: they are of one type, on one device."""
        if self._one_kind is None:
            kinds = {(weight.device, weight.dtype) for weight in self.param_groups[0]["params"]}
            self._one_kind = len(kinds) == 1
        return self._one_kind

    def _take_up(self, weights: Sequence[Tensor]) -> None:
        """Give a weight whose first gradient comes later than that of others (stochastic depth) a velocity of zero.

        torch's fused step gives all weights their velocity in the first step, and raises TypeError for such a weight.
        """
        if not any(VELOCITY in kept for kept in self.state.values()):
            return
        for weight in weights:
            if weight.grad is not None and VELOCITY not in self.state[weight]:
                self.state[weight][VELOCITY] = torch.zeros_like(weight)
