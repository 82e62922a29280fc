"""OBD: optimal brain damage (LeCun et al. 1990)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from prunectl.catalog.criterion import DataCriterion, Subject

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prunectl.catalog.criterion import Scores
    from prunectl.pruning.engines.curvature import Factors

COMPARED = 1 << 20
"""Maximum number of weights, drawn at random, that are compared for the reliability."""


class Obd(DataCriterion):
    """score = ½ h w², h the diagonal of the loss' Hessian (LeCun et al. 1990, eq. 5).

    h is the diagonal of the generalized Gauss-Newton matrix. For networks of ReLU and max pooling with BatchNorm in
    evaluation the logits are piecewise linear in each single weight, so that it is the diagonal of the Hessian
    itself, and never negative. With other activations it is Gauss-Newton's approximation.

    `estimator` "exact": one derivative per image and class. "monte-carlo": `samples` per image, at labels drawn from
    the network's own prediction; right on average. "empirical-fisher": one per image, at its true label; another
    quantity, equal only where the network is right about the labels' distribution.

    BatchNorm uses its running statistics; at initialization, where it has none, those of the scoring batches.

    The artefact records how reliable the scores are: `split_half`, the rank correlation between the scores of the
    images at even and at odd places of the batches.
    """

    name = "obd"
    summary = "½ · h · w² with the exact diagonal of the Gauss-Newton matrix (the Hessian's, for ReLU)"
    paper = "LeCun et al. (1990), eq. 5"
    per_image = True

    estimator: Annotated[
        Literal["exact", "monte-carlo", "empirical-fisher"], Field(description="how h is computed")
    ] = "exact"
    samples: Annotated[int, Field(ge=1, description="labels drawn per image, for monte-carlo")] = 1
    chunk: Annotated[int, Field(ge=1, description="derivatives (images × factors) that are in memory together")] = 100

    @model_validator(mode="after")
    def _samples_are_for_monte_carlo(self) -> Self:
        if self.samples != 1 and self.estimator != "monte-carlo":
            raise ValueError('samples is for estimator = "monte-carlo"')
        return self

    def check(self, network: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Iterator[str]:
        """Curvature is known of some kinds of layers, and not of attention that calls none."""
        from prunectl.pruning.engines.curvature import refused

        yield from refused(network, weights, shape)

    def prepare(self, subject: Subject) -> None:
        """BatchNorm that has never seen data sees the batches first."""
        from prunectl.base.batch_norm import measure_fresh

        measure_fresh(subject.network, [images for images, _ in subject.batches])

    def score(self, subject: Subject) -> Scores:
        """Per image one forward pass, and one backward pass per factor."""
        import torch

        from prunectl.pruning.engines.curvature import summed_squares

        images = torch.cat([batch for batch, _ in subject.batches])
        labels = torch.cat([targets for _, targets in subject.batches])
        halves = [
            summed_squares(subject, images[half::2], labels[half::2], self._factors(subject), self.chunk)
            for half in (0, 1)
            if len(images) > half
        ]
        if len(halves) == 2:
            subject.notes["split_half"] = _agreement(subject, *halves)
        total: Scores = {}
        for name, weight in subject.weights.items():
            h = halves[0][name] if len(halves) == 1 else halves[0][name].add_(halves[1][name])
            total[name] = h.mul_(weight.detach().square()).mul_(0.5 / len(images))
        return total

    def _factors(self, subject: Subject) -> Factors:
        from prunectl.pruning.engines.curvature import Factors, label_factors, sampled_factors, softmax_factors

        if self.estimator == "exact":
            return Factors(of=lambda logits, labels: softmax_factors(logits), count=None)
        if self.estimator == "empirical-fisher":
            return Factors(of=label_factors, count=1)
        return Factors(
            of=lambda logits, labels: sampled_factors(logits, self.samples, subject.generator), count=self.samples
        )


def _agreement(subject: Subject, first: dict[str, Tensor], second: dict[str, Tensor]) -> float:
    """The rank correlation of the two halves' scores, over the weights that are not masked or a sample of them."""
    import torch

    from prunectl.pruning.engines.curvature import rank_correlation

    n = sum(mask.numel() for mask in subject.masks.values())
    a, b = [], []
    for name, weight in subject.weights.items():
        alive = subject.masks[name].to(weight.device)
        if n > COMPARED:
            drawn = torch.rand(weight.shape, generator=subject.generator) < COMPARED / n
            alive = alive & drawn.to(weight.device)
        squares = weight.detach()[alive].square()
        a.append(first[name][alive] * squares)
        b.append(second[name][alive] * squares)
    return rank_correlation(torch.cat(a), torch.cat(b))
