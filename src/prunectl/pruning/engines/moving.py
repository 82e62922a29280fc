"""Masks that move during training: each layer drops some weights, and as many grow elsewhere.

Layers are looked at on the CPU, in the order of the network; whatever is drawn (ties, places that grow) comes from
generators of the seed and the step alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from fractions import Fraction
from functools import partial

import torch
from torch import Tensor

from prunectl.base.rng import generator
from prunectl.catalog.hook import Pruning, Trainee
from prunectl.catalog.masks import Masks
from prunectl.catalog.rounds import Setting
from prunectl.pruning.engines.select import Tie, lowest_among

Drop = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tie]]
"""From a layer's weights, its mask and a generator to the weights that go (bool, a part of the mask), and the ties."""


def share(fraction: float, count: int) -> int:
    """floor(fraction · count), with the fraction as it is written: 0.29 of 100 are 29."""
    return math.floor(Fraction(str(fraction)) * count)


def drop_smallest(weights: Tensor, kept: Tensor, draws: torch.Generator, *, fraction: float) -> tuple[Tensor, Tie]:
    """The floor(fraction · n) smallest |w| of the n kept weights of a layer (Evci et al. 2020, Section 3)."""
    (dropped,), tie = lowest_among([weights.abs()], [kept], share(fraction, int(kept.sum())), draws)
    return dropped, tie


def drop_per_sign(weights: Tensor, kept: Tensor, draws: torch.Generator, *, fraction: float) -> tuple[Tensor, Tie]:
    """Of the kept positive and of the kept negative weights each that fraction, nearest to 0 (Mocanu et al. 2018).

    A weight that is exactly 0 is neither, and stays.
    """
    dropped, scores, pruned = torch.zeros_like(kept), 0, 0
    for sign in (1, -1):
        among = kept & (weights * sign > 0)
        (lost,), tie = lowest_among([weights.abs()], [among], share(fraction, int(among.sum())), draws)
        dropped |= lost
        scores, pruned = scores + tie.scores, pruned + tie.pruned
    return dropped, Tie(scores=scores, pruned=pruned)


def grow_anywhere(kept: Tensor, count: int, draws: torch.Generator) -> Tensor:
    """`count` places of those that are not kept, each set of them equally likely."""
    keys = torch.rand(kept.shape, generator=draws, dtype=torch.float64)
    (grown,), _ = lowest_among([keys], [~kept], count, draws)
    return grown


def grow_steepest(gradients: Tensor, kept: Tensor, count: int, draws: torch.Generator) -> Tensor:
    """The `count` places of those that are not kept where |∂L/∂w| is largest (Evci et al. 2020, Section 3)."""
    (grown,), _ = lowest_among([gradients.abs()], [~kept], count, draws, highest=True)
    return grown


class Moving(Pruning):
    """Sparse from the start, at random places; each layer keeps its number of weights."""

    def __init__(self, setting: Setting, times: Collection[int]) -> None:
        super().__init__()
        self.setting, self.times = setting, times

    def begin(self, trainee: Trainee) -> None:
        """The random masks of the start."""
        trainee.remask(self.setting.scatter(trainee, self.setting.sparsity).masks)

    def dropped(self, trainee: Trainee, drop: Drop) -> tuple[Masks, Masks]:
        """Which weights are kept before, and which of them go."""
        draws = generator(self.setting.seed, "moving-drop", trainee.step)
        kept = {name: on_cpu(mask) for name, mask in trainee.masks.items()}
        lost: Masks = {}
        for name, mask in kept.items():
            lost[name], tie = drop(on_cpu(trainee.network.get_parameter(name)), mask, draws)
            self.tied += tie.scores
            self.tied_pruned += tie.pruned
        return kept, lost


class RandomGrowth(Moving):
    """After steps of the optimizer: what goes is up to `drop` at that step, what grows is drawn."""

    def __init__(self, setting: Setting, times: Collection[int], drop: Callable[[int], Drop]) -> None:
        super().__init__(setting, times)
        self.drop = drop

    def after(self, trainee: Trainee) -> None:
        """A move, if it is time for one: what grows where a weight was just dropped begins at 0, too."""
        if trainee.step not in self.times:
            return
        kept, lost = self.dropped(trainee, self.drop(trainee.step))
        draws = generator(self.setting.seed, "moving-grow", trainee.step)
        left = {name: mask & ~lost[name] for name, mask in kept.items()}
        trainee.remask(left)
        grown = {name: grow_anywhere(mask, int(lost[name].sum()), draws) for name, mask in left.items()}
        trainee.remask({name: mask | grown[name] for name, mask in left.items()}, grows=True)


class GradientGrowth(Moving):
    """In the place of steps of the optimizer: the smallest weights go, and grow where gradients are largest."""

    def __init__(self, setting: Setting, times: Collection[int], fraction: Callable[[int], float]) -> None:
        super().__init__(setting, times)
        self.fraction = fraction

    def wants_gradients(self, step: int) -> bool:
        """At the times of an update."""
        return step in self.times

    def gradients(self, trainee: Trainee) -> bool:
        """An update: one change of masks, so that what goes and grows again keeps its value and its momentum."""
        fraction = self.fraction(trainee.step)
        kept, lost = self.dropped(trainee, partial(drop_smallest, fraction=fraction))
        draws = generator(self.setting.seed, "moving-grow", trainee.step)
        moved: Masks = {}
        for name, mask in kept.items():
            left = mask & ~lost[name]
            moved[name] = left | grow_steepest(_gradient(trainee, name), left, int(lost[name].sum()), draws)
        trainee.remask(moved, grows=True)
        return True


def _gradient(trainee: Trainee, name: str) -> Tensor:
    """∂L/∂w of a layer; 0 for one that is frozen, or passed over in this step."""
    weight = trainee.network.get_parameter(name)
    return torch.zeros(weight.shape) if weight.grad is None else on_cpu(weight.grad)


def on_cpu(tensor: Tensor) -> Tensor:
    """The same values on the CPU, in the order of the dimensions."""
    return tensor.detach().cpu().contiguous()
