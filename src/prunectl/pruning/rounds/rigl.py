"""The rigged lottery (Evci et al. 2020)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Self

from pydantic import Field

from prunectl.catalog.hook import Pruning
from prunectl.catalog.retraining import Dense
from prunectl.catalog.rounds import Rounds, Setting
from prunectl.catalog.values import Length, Rate

DEFAULT_EVERY = Length(steps=100)


class Rigl(Rounds):
    """Sparse from the start: small weights go, and others grow where the gradient is largest, layer by layer.

    Evci et al. (2020), Algorithm 1. At t = 0, ΔT, 2ΔT, ... < T_end, *instead of* the optimizer's step, each layer
    loses the floor(f(t) · n_l) smallest |w| of the n_l weights that it keeps, f(t) = α/2 · (1 + cos(πt / T_end)). As
    many grow where |∂L/∂w|, taken at the masked network on that batch without weight decay, is largest among all
    that are not kept: at 0 with zero momentum, but those just dropped with the value and momentum that they had.
    T_end = `until` · T. (The authors' code spends an extra batch on each update, and makes all T steps.)
    """

    name = "rigl"
    summary = "sparse from the start: small weights go, others grow where gradients are large"
    during = True
    grows = True
    own_scope = "erk"
    criteria = ("magnitude",)

    alpha: Annotated[Rate, Field(description="the fraction of a layer's weights that go in the first update")] = 0.3
    every: Annotated[Length, Field(description="the time between two updates")] = DEFAULT_EVERY
    until: Annotated[
        float, Field(gt=0, le=1, description="updates end at this fraction of the training; the last weights stay")
    ] = 0.75

    def in_steps(self, dense: Dense) -> Self:
        """`every` in steps."""
        every = Length(steps=dense.length(self.every, dense.recipe))
        return type(self).model_construct(alpha=self.alpha, every=every, until=self.until)

    def updates(self, steps: int) -> range:
        """The numbers of finished steps at which masks change, in a training of `steps`."""
        assert self.every.steps is not None
        return range(0, math.ceil(self._end(steps)), self.every.steps)

    def fraction(self, step: int, steps: int) -> float:
        """f(t), the fraction of a layer's weights that go at t = `step`."""
        return self.alpha / 2 * (1 + math.cos(math.pi * step / float(self._end(steps))))

    def _end(self, steps: int) -> Fraction:
        """T_end, without the rounding of binary fractions."""
        return Fraction(str(self.until)) * steps

    def hook(self, setting: Setting) -> Pruning:
        """Drops and grows in the place of steps of the optimizer."""
        from prunectl.pruning.engines.moving import GradientGrowth

        steps = setting.recipe.steps
        return GradientGrowth(setting, self.updates(steps), lambda step: self.fraction(step, steps))
