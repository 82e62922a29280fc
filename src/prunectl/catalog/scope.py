"""How a sparsity is spread over layers: groups of layers, and how many weights of each group go.

Whatever the scope, the counts add up to exactly round(sparsity · n), and a layer never gets back what is gone.
The scopes themselves are in `scopes/`, the arithmetic that they share in `engines/allocation.py`. No torch here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]
Groups = list[tuple[tuple[str, ...], int]]
"""Layer names that are ranked together, and the number of weights that go from them, those gone already included."""


class Scope(Entry):
    """A rule for spreading a sparsity over layers."""

    paper: ClassVar[str] = ""
    """Where it is defined: authors, year, equation or section."""
    needs_weights: ClassVar[bool] = False
    """Whether it looks at the weights themselves, and not only at their number."""

    channels: ClassVar[Literal["together", "alike"] | None] = None
    """How it ranks whole channels: all in one ranking, or so that layers lose fractions in proportion to `shares`.
    None: it spreads single weights only."""

    def least(self) -> Fraction:
        """The fraction of every layer that stays, its highest-scored weights, whatever the ranking."""
        return Fraction(0)

    def kept(self, shapes: Shapes) -> Mapping[str, int]:
        """How many weights of each layer stay at least: ceil(least · n). Layers that may lose all are left out."""
        least = self.least()
        return {name: math.ceil(least * math.prod(shape)) for name, shape in shapes.items()} if least else {}

    def settled(self) -> Scope:
        """The entry that keys are made of, where several names mean the same rule."""
        return self

    def shares(self, layers: tuple[str, ...]) -> Mapping[str, float]:
        """For channels ranked alike: what fraction layers lose, relative to each other. Those left out lose nothing.

        Raises MethodError for layers that the network does not have.
        """
        return dict.fromkeys(layers, 1.0)

    @required
    def groups(
        self, shapes: Shapes, sparsity: float, gone: Mapping[str, int], weights: Mapping[str, Tensor] | None = None
    ) -> Groups:
        """The groups for a target sparsity; `gone` is how many weights of each layer are pruned already.

        `weights` are those that are left, flat, layer by layer, for a scope that needs them. Raises MethodError if
        the sparsity cannot be reached by this rule.
        """
        raise NotImplementedError


def removed(shapes: Shapes, sparsity: float) -> int:
    """round(sparsity · n): how many weights a sparsity removes."""
    return round(sparsity * sum(math.prod(shape) for shape in shapes.values()))
