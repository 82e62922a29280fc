"""OBS: optimal brain surgeon with a blockwise inverse, as WoodFisher has it (Singh and Alistarh 2020)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from prunectl.catalog.criterion import Criterion, Subject

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prunectl.catalog.criterion import Scores
    from prunectl.pruning.engines.inverse_fisher import BlockFisher

GIBIBYTE = 1 << 30


class Obs(Criterion):
    """score = w² / (2 [F̂⁻¹]_qq), F̂ = damp · I + the mean of g gᵀ over single images (Singh and Alistarh 2020, eq. 12).

    F̂ is taken in blocks of consecutive weights of a layer; g is the gradient at the true label, BatchNorm in
    evaluation; at initialization, where it has no running statistics, it measures them on the scoring images.
    With `update`, the weights that stay make up for those that go, all at once and before the mask:
    w −= Σ over pruned q of w_q F̂⁻¹e_q / [F̂⁻¹]_qq. Weights that are gone already have no part in F̂.

    The gradients of as many layers as fit `memory` are in memory together; they are computed again for each group of
    layers. The inverses are in float64.
    """

    name = "obs"
    summary = "w² / 2[F⁻¹]: optimal brain surgeon in blocks, which also updates the weights that stay"
    paper = "Singh & Alistarh (2020), eq. 12 and 13; Hassibi & Stork (1993)"
    needs_data = True
    needs_labels = True
    per_image = True

    samples: Annotated[int, Field(ge=1, description="gradients, each of one image")] = 400
    block: Annotated[int, Field(ge=1, le=10_000, description="consecutive weights of a layer, inverted together")] = 100
    damp: Annotated[float, Field(gt=0, description="what is added to the diagonal of F")] = 1e-5
    update: Annotated[bool, Field(description="whether the weights that stay make up for those that go")] = True
    memory: Annotated[float, Field(gt=0, description="gibibytes for gradients of layers taken together")] = 2.0
    chunk: Annotated[int, Field(ge=1, description="images that are in memory together")] = 100

    def sampling(self, classes: int) -> tuple[int, int]:
        """One batch with at least `samples` images."""
        return math.ceil(self.samples / classes), 1

    def updates_weights(self) -> bool:
        """As the parameter gives it."""
        return self.update

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """As `Fisher`; and the gradients of the largest group of layers must fit the memory of the machine, or GPU."""
        from prunectl.pruning.engines.curvature import refused
        from prunectl.pruning.engines.inverse_fisher import too_large

        yield from refused(network, weights, shape)
        yield from too_large(self.name, weights, self.samples, round(self.memory * GIBIBYTE))

    def prepare(self, subject: Subject) -> None:
        """BatchNorm that has never seen data sees the images first."""
        from prunectl.base.batch_norm import measure_fresh

        measure_fresh(subject.network, [images for images, _ in subject.batches])

    def score(self, subject: Subject) -> Scores:
        """One forward and one backward pass per image and group of layers, and one inverse per block."""
        from prunectl.pruning.engines.inverse_fisher import scores

        return {name: score.to(subject.weights[name].dtype) for name, score in scores(subject, self._fisher()).items()}

    def updated(self, subject: Subject, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same passes again."""
        from prunectl.pruning.engines.inverse_fisher import updated

        return updated(subject, masks, self._fisher())

    def _fisher(self) -> BlockFisher:
        from prunectl.pruning.engines.inverse_fisher import BlockFisher

        memory = round(self.memory * GIBIBYTE)
        return BlockFisher(samples=self.samples, block=self.block, damp=self.damp, memory=memory, chunk=self.chunk)
