"""Fisher pruning (Theis et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from prunectl.catalog.criterion import DataCriterion, Subject

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prunectl.catalog.criterion import Scores


class Fisher(DataCriterion):
    """score = w² · E[g²], g the gradient of one image's own loss (Theis et al. 2018, eq. 7, for single weights).

    The diagonal of the empirical Fisher matrix in the place of OBD's h: a factor of the number of classes cheaper,
    and twice the score of `obd` with `estimator = "empirical-fisher"`, so that the two prune alike.
    BatchNorm uses its running statistics; at initialization, where it has none, those of the scoring batches.
    """

    name = "fisher"
    summary = "w² · E[g²] over single images: the cheap relative of obd"
    paper = "Theis et al. (2018), eq. 7"
    per_image = True

    chunk: Annotated[int, Field(ge=1, description="images that are in memory together")] = 100

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """Curvature is known of some kinds of layers, and not of attention that calls none."""
        from prunectl.pruning.engines.curvature import refused

        yield from refused(network, weights, shape)

    def prepare(self, subject: Subject) -> None:
        """BatchNorm that has never seen data sees the batches first."""
        from prunectl.base.batch_norm import measure_fresh

        measure_fresh(subject.network, [images for images, _ in subject.batches])

    def score(self, subject: Subject) -> Scores:
        """One forward and one backward pass, of which each image's share is squared."""
        from prunectl.pruning.engines.curvature import Factors, label_factors, summed_squares

        total: Scores = {}
        factors = Factors(of=label_factors, count=1)
        for images, labels in subject.batches:
            for name, squares in summed_squares(subject, images, labels, factors, self.chunk).items():
                total[name] = total[name].add_(squares) if name in total else squares
        count = sum(len(images) for images, _ in subject.batches)
        return {name: g2.mul_(subject.weights[name].detach().square()).div_(count) for name, g2 in total.items()}
