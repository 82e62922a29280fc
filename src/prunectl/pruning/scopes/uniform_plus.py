"""Uniform+ (Gale et al. 2019): the same fraction of every layer, but for the first and the last."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from prunectl.catalog.scope import Groups, Scope, Shapes
from prunectl.pruning.engines.allocation import spread

if TYPE_CHECKING:
    from torch import Tensor

LAST_KEPT = 0.2


class UniformPlus(Scope):
    """`layerwise`, except that a first convolution stays dense and the last layer keeps at least a fifth.

    Gale et al. (2019), Section 5; Lee et al. (2021), Section 4. First and last are those of the prunable layers, in
    the network's order; a first layer that is linear is like any other. What the two keep, the others lose more.
    """

    name = "uniform+"
    summary = "layerwise, but the first convolution dense and a fifth of the last layer kept"
    paper = "Gale et al. (2019), Section 5"

    def groups(
        self, shapes: Shapes, sparsity: float, gone: Mapping[str, int], weights: Mapping[str, Tensor] | None = None
    ) -> Groups:
        """A group per layer. Raises MethodError beyond the sparsity at which only the two are left."""
        sizes = {name: math.prod(shape) for name, shape in shapes.items()}
        first, last = next(iter(shapes)), next(reversed(list(shapes)))
        least = {last: math.ceil(LAST_KEPT * sizes[last])}
        if len(shapes[first]) > 2:
            least[first] = sizes[first]
        return spread({name: float(size) for name, size in sizes.items()}, shapes, sparsity, gone, least=least)
