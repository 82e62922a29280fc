"""Rates per layer, chosen by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from prunectl.base.errors import MethodError
from prunectl.base.text import did_you_mean
from prunectl.catalog.masks import layer_of
from prunectl.catalog.scope import Groups, Scope, Shapes, removed
from prunectl.pruning.engines.allocation import apportion, fill

if TYPE_CHECKING:
    from torch import Tensor


def _pairs(value: Any) -> Any:
    return tuple(value.items()) if isinstance(value, Mapping) else value


def _sorted(pairs: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(pairs))


PerLayer = Annotated[
    tuple[tuple[str, Annotated[float, Field(gt=0, le=1)]], ...],
    Field(min_length=1),
    BeforeValidator(_pairs),
    AfterValidator(_sorted),
    PlainSerializer(dict, return_type=dict[str, float]),
    WithJsonSchema(
        {
            "type": "object",
            "x-words": "a table of rates above 0 and at most 1, by name or glob of layers",
            "minProperties": 1,
            "additionalProperties": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        }
    ),
]
"""A rate for each layer, by name or glob, in any order."""


class Rates(Scope):
    """Layers lose fractions in proportion to the rates given; a layer that is not named stays dense.

    Li et al. (2017) choose rates per layer by hand, and Renda et al. (2020) scale them together to reach a sparsity:
    so here, until a layer is gone and the others lose more. With structure "channels" it is fractions of channels.
    """

    name = "rates"
    summary = "layers lose fractions in proportion to `per_layer`; unnamed layers stay dense"
    paper = "Li et al. (2017), Section 3.2; Renda et al. (2020), Appendix"
    channels = "alike"

    per_layer: PerLayer = (("*", 1.0),)

    def shares(self, layers: tuple[str, ...]) -> dict[str, float]:
        """The rate of each of these layers that has one. MethodError for a pattern that matches none of them."""
        rates: dict[str, float] = {}
        for pattern, rate in self.per_layer:
            matches = [layer for layer in layers if fnmatchcase(layer, pattern)]
            if not matches:
                hint = did_you_mean(pattern, layers, "'{}'")
                raise MethodError(f"{pattern!r} matches no layer" + (f"; {hint}" if hint else ""))
            for layer in matches:
                if rates.setdefault(layer, rate) != rate:
                    raise MethodError(f"{layer} has two rates, {rates[layer]:g} and {rate:g} by {pattern!r}")
        return rates

    def groups(
        self, shapes: Shapes, sparsity: float, gone: Mapping[str, int], weights: Mapping[str, Tensor] | None = None
    ) -> Groups:
        """A group per layer. Raises MethodError beyond the sparsity at which all named layers are gone."""
        names = {layer_of(name): name for name in shapes}
        rates = {names[layer]: rate for layer, rate in self.shares(tuple(names)).items()}
        sizes = {name: math.prod(shape) for name, shape in shapes.items()}
        low = [gone.get(name, 0) for name in rates]
        high = [sizes[name] for name in rates]
        elsewhere = sum(gone.get(name, 0) for name in shapes if name not in rates)
        target = removed(shapes, sparsity) - elsewhere
        if not sum(low) <= target <= sum(high):
            raise MethodError(
                f"rates are given for layers with {sum(high):,} of {sum(sizes.values()):,} weights; "
                f"a sparsity of {sparsity:.6g} takes {target + elsewhere:,}"
            )
        shares = [rate * sizes[name] for name, rate in rates.items()]
        wanted = fill(
            shares, sparsity * sum(sizes.values()) - elsewhere, [float(n) for n in low], [float(n) for n in high]
        )
        counts = dict(zip(rates, apportion(wanted, target, low=low, high=high), strict=True))
        return [((name,), counts.get(name, gone.get(name, 0))) for name in shapes]
