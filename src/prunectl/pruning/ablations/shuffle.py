"""The mask permuted within layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.ablation import Ablation
from prunectl.catalog.masks import Masks
from prunectl.catalog.structure import Units

if TYPE_CHECKING:
    import torch


class Shuffle(Ablation):
    """Each layer's mask permuted at random: its count stays, the places change (Frankle et al. 2021, Section 5)."""

    name = "shuffle"
    summary = "each layer's mask is permuted: how much a layer keeps stays, which weights changes"
    changes = "mask"
    noun = "shuffling"
    verb = "shuffled"

    def masks(self, masks: Masks, units: Units, generator: torch.Generator) -> Masks:
        """As the units of the structure can be permuted."""
        return units.shuffle(masks, generator)
