"""Single weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.structure import Structure, Units

if TYPE_CHECKING:
    from torch import nn


class Weights(Structure):
    """Every weight by itself: exactly round(sparsity · n) go, spread over the layers as the scope defines."""

    name = "weights"
    summary = "single weights"
    any_mask = True

    def units(self, network: nn.Module, shape: tuple[int, int, int]) -> Units:
        """The same for every network."""
        from prunectl.pruning.engines.single_weights import SingleWeights

        return SingleWeights()
