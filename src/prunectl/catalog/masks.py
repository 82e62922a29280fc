"""Masks as criteria, structures and rounds hand them on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Masks = dict[str, "Tensor"]
"""Parameter name → its mask: bool, of the parameter's shape; True keeps, False prunes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pruned:
    """Masks, and how many scores were tied at the cut, summed over the groups that were ranked."""

    masks: Masks
    tied: int
    tied_pruned: int
    weights: Mapping[str, Tensor] | None = None
    """The prunable weights by name, where pruning has changed those that stay."""


def layer_of(weight: str) -> str:
    """The name of the layer of a weight: 'conv1' of 'conv1.weight', 'attn.in_proj' of 'attn.in_proj_weight'."""
    return weight.removesuffix(".weight") if weight.endswith(".weight") else weight.removesuffix("_weight")
