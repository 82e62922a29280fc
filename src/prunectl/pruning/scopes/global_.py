"""One ranking over all layers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from prunectl.catalog.entry import Absent
from prunectl.catalog.scope import Groups, Scope, Shapes, removed

if TYPE_CHECKING:
    from torch import Tensor


class Global(Scope):
    """All layers are ranked together: the scores alone decide how much each layer loses.

    That may be all of it, unless there is a `floor`: every layer then keeps at least ceil(floor · n_l) of its n_l
    weights, those with its highest scores, and the other layers lose that many more.
    """

    name = "global"
    summary = "one ranking over all layers"
    paper = "Frankle & Carbin (2019), Section 4"
    channels = "together"

    floor: Annotated[
        float,
        Field(ge=0, lt=1, description="the fraction of every layer that stays, its highest scores"),
        Absent(value=0.0),
    ] = 0.0

    def least(self) -> Fraction:
        """The floor as it is written: 0.07 of 100 weights are 7, not 8."""
        return Fraction(repr(self.floor))

    def groups(
        self, shapes: Shapes, sparsity: float, gone: Mapping[str, int], weights: Mapping[str, Tensor] | None = None
    ) -> Groups:
        """One group with every layer."""
        return [(tuple(shapes), removed(shapes, sparsity))]
