"""Erdős–Rényi allocation (Mocanu et al. 2018)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from prunectl.catalog.scope import Groups, Scope, Shapes
from prunectl.pruning.engines.allocation import spread

if TYPE_CHECKING:
    from torch import Tensor


class Er(Scope):
    """density_l = min(1, ε · (n_in + n_out) / (n_in · n_out)), ε such that the total is right.

    Mocanu et al. (2018), eq. 1; kernels play no part. A layer whose density would exceed 1 is dense, and ε is solved
    for again over the others. n_in are the inputs of a group.
    """

    name = "er"
    summary = "density in proportion to (inputs + outputs) / (inputs · outputs) of a layer"
    paper = "Mocanu et al. (2018), eq. 1"

    def groups(
        self, shapes: Shapes, sparsity: float, gone: Mapping[str, int], weights: Mapping[str, Tensor] | None = None
    ) -> Groups:
        """A group per layer; density times weights is in proportion to (n_in + n_out) times the size of a kernel."""
        shares = {name: float((shape[0] + shape[1]) * math.prod(shape[2:])) for name, shape in shapes.items()}
        return spread(shares, shapes, sparsity, gone)
