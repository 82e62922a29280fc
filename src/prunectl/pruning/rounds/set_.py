"""Sparse evolutionary training (Mocanu et al. 2018)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from prunectl.catalog.hook import Pruning
from prunectl.catalog.rounds import Rounds, Setting
from prunectl.catalog.values import Rate


class SetRounds(Rounds):
    """Sparse from the start: at the end of each epoch, weights near 0 go and as many grow at random, layer by layer.

    Mocanu et al. (2018), Algorithm 1: after the last step of each epoch but the last, each layer loses floor(ζ · n+)
    of its positive and floor(ζ · n−) of its negative weights, those nearest to 0. As many grow, uniformly among all
    places that are not kept, also where weights were just dropped: at 0, with zero momentum.

    `drop = "magnitude"` is the variant that Evci et al. (2020) compare with: the smallest |w| go, floor(f(t) · n_l)
    of a layer that keeps n_l, at t = 100, 200, ... < 0.75 T finished steps, f(t) = ζ/2 · (1 + cos(πt / 0.75 T)).
    """

    name = "set"
    summary = "sparse from the start: weights near 0 go and others grow at random, after each epoch"
    during = True
    grows = True
    own_scope = "er"
    criteria = ("magnitude",)

    zeta: Annotated[Rate, Field(description="the fraction of a layer's weights that go at a time")] = 0.3
    drop: Annotated[
        Literal["per-sign", "magnitude"],
        Field(description="what goes: the smallest positive and the largest negative weights, or the smallest |w|"),
    ] = "per-sign"

    def hook(self, setting: Setting) -> Pruning:
        """Drops and grows after steps of the optimizer."""
        from prunectl.pruning.engines.moving import RandomGrowth, drop_per_sign, drop_smallest
        from prunectl.pruning.rounds.rigl import Rigl

        recipe, zeta = setting.recipe, self.zeta
        if self.drop == "per-sign":
            ends = range(recipe.steps_per_epoch, recipe.steps, recipe.steps_per_epoch)
            return RandomGrowth(setting, ends, lambda step: partial(drop_per_sign, fraction=zeta))
        like = Rigl(alpha=zeta)
        times = like.updates(recipe.steps)[1:]  # the first would come before a step was made
        return RandomGrowth(
            setting, times, lambda step: partial(drop_smallest, fraction=like.fraction(step, recipe.steps))
        )
