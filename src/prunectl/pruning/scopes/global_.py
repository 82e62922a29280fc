"""One ranking over all layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prunectl.catalog.scope import Groups, Scope, Shapes, removed

if TYPE_CHECKING:
    from torch import Tensor


class Global(Scope):
    """All layers are ranked together: the scores alone decide how much each layer loses, up to all of it."""

    name = "global"
    summary = "one ranking over all layers"
    paper = "Frankle & Carbin (2019), Section 4"
    channels = "together"

    def groups(
        self, shapes: Shapes, sparsity: float, gone: Mapping[str, int], weights: Mapping[str, Tensor] | None = None
    ) -> Groups:
        """One group with every layer."""
        return [(tuple(shapes), removed(shapes, sparsity))]
