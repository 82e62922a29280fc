"""The same fraction of every layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from prunectl.catalog.scope import Groups, Scope, Shapes
from prunectl.pruning.engines.allocation import spread

if TYPE_CHECKING:
    from torch import Tensor


class Layerwise(Scope):
    """kept_l = (1 − s) · n_l in every layer l, as near as whole numbers allow.

    Counted from all weights of a layer, not from those that are left: a layer that an earlier level has left with
    less than its share loses nothing more, and the others lose an equal fraction so that the total is exact.
    """

    name = "layerwise"
    summary = "the same fraction of every layer"
    paper = "Han et al. (2015), Section 3"
    channels = "alike"

    def groups(
        self, shapes: Shapes, sparsity: float, gone: Mapping[str, int], weights: Mapping[str, Tensor] | None = None
    ) -> Groups:
        """A group per layer, each with its share of round(sparsity · n)."""
        return spread({name: float(math.prod(shape)) for name, shape in shapes.items()}, shapes, sparsity, gone)


class Uniform(Layerwise):
    """`layerwise` under the name that some papers use: the same masks, and the same artefacts."""

    name = "uniform"
    summary = "another name of layerwise"
    paper = "Zhu & Gupta (2017); Gale et al. (2019), Section 3"

    def settled(self) -> Scope:
        """`layerwise`: what was made under one name is not made again under the other."""
        return Layerwise()
