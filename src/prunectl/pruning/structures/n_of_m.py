"""N of M: of every m consecutive input channels, n weights stay (Mishra et al. 2021)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from prunectl.catalog.scope import Scope
from prunectl.catalog.structure import Structure, Units

if TYPE_CHECKING:
    from torch import Tensor, nn

SAME = 1e-6
"""Two sparsities nearer than this are meant to be the same (0.666667 for 1 − 1/3)."""


class NOfM(Structure):
    """Of every m consecutive input channels at one position of the kernel, exactly n weights stay.

    They are those with the highest scores. Weights lie as (outputs, kernel height, kernel width, inputs), the layout
    of NVIDIA's sparse kernels (Mishra et al. 2021, Section 3, with n = 2 and m = 4). Every layer keeps n/m, so the
    only sparsities are 0 and 1 − n/m, and the scope plays no part. The input channels of each group of a layer must
    be a multiple of m.
    """

    name = "n-of-m"
    summary = "of every m consecutive input channels n stay: the sparsity is 1 - n/m in every layer"
    any_sparsity = False

    n: Annotated[int, Field(ge=1, le=1023, description="the number of weights that stay of each m")]
    m: Annotated[int, Field(ge=2, le=1024, description="the number of consecutive input channels")]

    @model_validator(mode="after")
    def _some_go(self) -> Self:
        if self.n >= self.m:
            raise ValueError(f"n must be less than m = {self.m}: some weights must go")
        return self

    def refusal(self, scope: Scope, sparsity: float | None = None) -> str | None:
        """Another scope than the default, and another sparsity than 0 and 1 − n/m."""
        if scope.written() != "global":
            return f"{self.label()} keeps the same share of every layer: leave scope out"
        if sparsity is None or min(abs(sparsity), abs(sparsity - self.sparsity)) < SAME:
            return None
        return f"the only sparsities of {self.label()} are 0 and {self.sparsity:.6g}, not {sparsity:.6g}"

    @property
    def sparsity(self) -> float:
        """1 − n/m."""
        return 1 - self.n / self.m

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """The input channels of every layer must be a multiple of m."""
        from prunectl.pruning.engines.channel_blocks import misfits

        yield from misfits(network, weights, self.m)

    def units(self, network: nn.Module, shape: tuple[int, int, int]) -> Units:
        """Blocks of m weights."""
        from prunectl.pruning.engines.channel_blocks import Blocks

        return Blocks(network=network, structure=self, n=self.n, m=self.m)
