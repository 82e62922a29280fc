"""How scores become a mask of any sparsity: what a step, a round and a training all hand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from prunectl.catalog.masks import Masks, Pruned
from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Units

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


@dataclass(frozen=True, kw_only=True, eq=False)
class Cut:
    """Which units of a network go, how a sparsity is spread over its layers, and which end of the ranking goes."""

    units: Units
    scope: Scope
    invert: bool = False
    """Whether the highest scores go."""

    def masks(
        self,
        scores: Scores,
        sparsity: float,
        *,
        generator: torch.Generator,
        before: Masks | None = None,
        weights: Mapping[str, Tensor] | None = None,
    ) -> Pruned:
        """The masks at `sparsity`, those of `before` gone among them; see `Units.prune`, which it calls.

        `weights` are handed on only to a scope that looks at them.
        """
        return self.units.prune(
            scores,
            self.scope,
            sparsity,
            generator=generator,
            before=before,
            invert=self.invert,
            weights=weights if self.scope.needs_weights else None,
        )
