"""Activation pruning, a baseline of James (2022)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from prunectl.catalog.criterion import BatchNormCriterion, Subject

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prunectl.catalog.criterion import Scores


class Activation(BatchNormCriterion):
    """score = |w ⊙ ā|, ā the mean activation of the unit that the weight leads to, normalised (James 2022, eq. 2.3).

    ā has one number per output unit or channel: the output of the first activation function that the layer's output
    reaches (behind BatchNorm, and behind a residual sum), averaged over images and places; the output layer, which
    none follows, takes its own output. Each layer's ā is then divided by its Euclidean norm, and every weight of
    row o is multiplied by ā[o]. James leaves the norm open; it does not matter to rankings within layers.
    """

    name = "activation"
    summary = "|w · mean activation of its unit|, a baseline of James (2022)"
    paper = "James (2022), eq. 2.3"
    needs_labels = False
    repeatable = True

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """Each layer has to be called, and what follows it has to have its units."""
        from prunectl.pruning.engines.activations import refused

        yield from refused(network, weights, shape)

    def score(self, subject: Subject) -> Scores:
        """One forward pass per batch."""
        from torch.nn.functional import normalize

        from prunectl.pruning.engines.activations import mean_activations
        from prunectl.pruning.prunable import layers_by_weight

        layers = layers_by_weight(subject.network, subject.weights)
        means = [mean_activations(subject.network, layers, images) for images, _ in subject.batches]
        scores: Scores = {}
        for name, weight in subject.weights.items():
            mean = normalize(sum(batch[name] for batch in means), dim=0)  # type: ignore[arg-type]  # never empty
            scores[name] = (weight.detach() * mean.view(-1, *(1,) * (weight.dim() - 1))).abs()
        return scores
