"""The mask permuted over the whole network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.ablation import Ablation
from prunectl.catalog.masks import Masks
from prunectl.catalog.structure import Structure, Units
from prunectl.catalog.wording import shown

if TYPE_CHECKING:
    import torch


class ShuffleGlobal(Ablation):
    """The mask permuted over all prunable weights: the control in which the layers' shares are lost too.

    The total stays exact; each layer keeps about the same fraction, as under random global pruning.
    """

    name = "shuffle-global"
    summary = "the mask is permuted over the whole network: the layers' shares are lost too"
    changes = "mask"
    noun = "shuffling over the whole network"
    verb = "shuffled over the whole network"

    def refusal(self, structure: Structure) -> str | None:
        """Weights must be free to go one by one, or the sparsity would not stay what it is."""
        if structure.any_mask:
            return None
        return (
            f"structure {shown(structure.name)} prunes weights that belong together: permuted over the whole network, "
            "a mask would not keep both them and the sparsity"
        )

    def masks(self, masks: Masks, units: Units, generator: torch.Generator) -> Masks:
        """One permutation of all places."""
        import torch

        flat = torch.cat([mask.flatten() for mask in masks.values()])
        drawn = flat[torch.randperm(len(flat), generator=generator)]
        pieces = torch.split(drawn, [mask.numel() for mask in masks.values()])
        return {name: piece.view(mask.shape) for (name, mask), piece in zip(masks.items(), pieces, strict=True)}
