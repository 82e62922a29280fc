"""Erdős–Rényi-Kernel allocation (Evci et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prunectl.catalog.scope import Groups, Scope, Shapes
from prunectl.pruning.engines.allocation import spread

if TYPE_CHECKING:
    from torch import Tensor


class Erk(Scope):
    """density_l = min(1, ε · (n_in + n_out + k_h + k_w) / (n_in · n_out · k_h · k_w)), ε such that the total is right.

    Evci et al. (2020), Section 3 (1): a layer whose density would exceed 1 is dense, and ε is solved for again
    over the others. Linear layers: (n_in + n_out) / (n_in · n_out).
    """

    name = "erk"
    summary = "density in proportion to (inputs + outputs + kernel sides) / weights of a layer"
    paper = "Evci et al. (2020), Section 3 (1); Mocanu et al. (2018), eq. 1"

    def groups(
        self, shapes: Shapes, sparsity: float, gone: Mapping[str, int], weights: Mapping[str, Tensor] | None = None
    ) -> Groups:
        """A group per layer; density times weights is in proportion to the sum of a layer's sides."""
        return spread({name: float(sum(shape)) for name, shape in shapes.items()}, shapes, sparsity, gone)
