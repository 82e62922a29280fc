"""LAP: lookahead pruning (Park et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from prunectl.catalog.criterion import Criterion, Subject

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prunectl.catalog.criterion import Scores


class Lap(Criterion):
    """score = |w| · ‖row of the layer before‖_F · ‖column of the layer after‖_F (Park et al. 2020, eq. 3 and 4).

    The row is all weights that write the channel which w reads, the column all weights that read the channel which
    w writes; a side on which there is no layer counts 1. BatchNorm on the way multiplies by |γ|/√(σ² + ε), of the
    layer before and of the layer itself, from running statistics. Behind a flattened image, each channel is as many
    units as it has places.

    At a residual sum, all layers that write into it are one stacked row, and all that read it one stacked column:
    their squared norms, each with the BatchNorm of its own path, add up. An identity shortcut is followed on to the
    layers that lie before it, so that the sum of a whole stage counts; the network's input counts 1.
    """

    name = "lap"
    summary = "|w| times the norms of the weights before and after it"
    paper = "Park et al. (2020), eq. 3 and 4"
    repeatable = True

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """Norms have to be followed through the network, and each layer has to be called."""
        from prunectl.pruning.engines.lookahead import refused

        yield from refused(network, weights, shape)

    def score(self, subject: Subject) -> Scores:
        """One forward and one backward pass of a single image, on squared norms."""
        from prunectl.pruning.engines.lookahead import Lookahead
        from prunectl.pruning.prunable import layers_by_weight

        run = Lookahead(subject.network, subject.shape)
        layers = layers_by_weight(subject.network, subject.weights)
        return {
            name: weight.detach().abs() * run.factor(weight, layers[name]) for name, weight in subject.weights.items()
        }
