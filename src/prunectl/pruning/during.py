"""What rounds that prune during training are given: masks of a network in the course of its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from prunectl.base.rng import generator
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.hook import Trainee
from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.values import Denominator
from prunectl.pruning.cut import Cut
from prunectl.pruning.denominator import of_prunable
from prunectl.pruning.prunable import prunable
from prunectl.pruning.scoring import Scoring, score

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Batch, Scores


@dataclass(frozen=True, kw_only=True, eq=False)
class Pruner:
    """Masks for the weights of the moment. The network, its statistics and the global random state stay as they are.

    What is drawn depends on the seed and the step alone, so that a resumed training draws the same.
    """

    criterion: Criterion
    cut: Cut
    exclude: Sequence[str]
    of: Denominator
    shape: tuple[int, int, int]
    seed: int
    batches: Callable[[], Sequence[Batch]]
    """Frozen for the whole training; read when a criterion first needs them."""

    def dense(self, weights: Mapping[str, Tensor]) -> Masks:
        """Masks that keep everything, of all that these units may ever prune."""
        scores = {name: torch.zeros(weight.shape) for name, weight in weights.items()}
        return self._pruned(scores, 0.0, None, weights, 0).masks

    def prune(self, trainee: Trainee, sparsity: float) -> Pruned:
        """The lowest scores of the moment go, what is gone stays gone: exactly round(sparsity · n) in all.

        Raises MethodError for scores that no ranking can be made of, and for a sparsity that cannot be reached.
        """
        network, before = trainee.network, _masks(trainee)
        scoring = Scoring(
            criterion=self.criterion,
            exclude=self.exclude,
            batches=self.batches(),
            shape=self.shape,
            generator=generator(self.seed, f"score-{self.criterion.name}", trainee.step),
        )
        scores = score(scoring, network, before)
        weights = prunable(network, self.exclude)
        fraction = of_prunable(sparsity, self.of, network, weights)
        return self._pruned(scores, fraction, before, weights, trainee.step)

    def scatter(self, trainee: Trainee, sparsity: float) -> Pruned:
        """Random masks: each layer loses as many weights as the scope takes, every set of them equally likely."""
        weights = prunable(trainee.network, self.exclude)
        draws = generator(self.seed, "scatter", trainee.step)
        scores = {name: torch.rand(weight.shape, generator=draws) for name, weight in weights.items()}
        fraction = of_prunable(sparsity, self.of, trainee.network, weights)
        return self._pruned(scores, fraction, None, weights, trainee.step)

    def _pruned(
        self, scores: Scores, fraction: float, before: Masks | None, weights: Mapping[str, Tensor], step: int
    ) -> Pruned:
        ties = generator(self.seed, "ties", step)
        return self.cut.masks(scores, fraction, generator=ties, before=before, weights=weights)


def _masks(trainee: Trainee) -> Masks:
    """The masks in force, on the CPU."""
    return {name: mask.cpu().contiguous() for name, mask in trainee.masks.items()}
