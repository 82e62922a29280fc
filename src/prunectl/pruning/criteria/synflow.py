"""SynFlow: iterative synaptic flow pruning (Tanaka et al. 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import Criterion, Subject

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class SynFlow(Criterion):
    """score = |w ⊙ ∂R/∂w|, R the sum of the outputs for an all-ones image, every parameter at its absolute value.

    Tanaka et al. 2020, eq. 1 to 3 and Algorithm 1: 100 rounds, density keep^(k/100) after round k. BatchNorm is in
    evaluation with neutral statistics, so that R depends on the parameters alone. float64, because R
    grows with the product of all layers and leaves the range of float32 from about 32 layers on.
    """

    name = "synflow"
    summary = "|w · ∂R/∂w|: weights that carry little synaptic flow go, without data, in 100 rounds"
    paper = "Tanaka et al. (2020), eq. 1 to 3, Algorithm 1"
    precision = "float64"
    repeatable = True
    rounds = {"name": "exponential", "count": 100}

    def prepare(self, subject: Subject) -> None:
        """Every parameter at its absolute value, BatchNorm neutral: once, for all rounds."""
        import torch

        from prunectl.base.batch_norm import neutralize
        from prunectl.pruning.engines.products import as_products

        as_products(subject.network)
        neutralize(subject.network)
        with torch.no_grad():
            for parameter in subject.network.parameters():
                parameter.abs_()

    def score(self, subject: Subject) -> Scores:
        """One forward and one backward pass of a single image."""
        import torch

        from prunectl.pruning.engines.gradients import saliency_

        weight = next(iter(subject.weights.values()))
        ones = torch.ones((1, *subject.shape), dtype=weight.dtype, device=weight.device)
        flow = subject.network(ones).sum()
        gradients = torch.autograd.grad(flow, list(subject.weights.values()))
        return {
            name: saliency_(gradient, weight)
            for (name, weight), gradient in zip(subject.weights.items(), gradients, strict=True)
        }
