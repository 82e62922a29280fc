"""SynFlow: iterative synaptic flow pruning (Tanaka et al. 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from prunectl.catalog.criterion import Criterion, Subject
from prunectl.catalog.entry import Absent

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class SynFlow(Criterion):
    """score = |w ⊙ ∂R/∂w|, R the sum of the outputs for an all-ones image, every parameter at its absolute value.

    Tanaka et al. 2020, eq. 1 to 3 and Algorithm 1: 100 rounds, density keep^(k/100) after round k. float64, because R
    grows with the product of all layers and leaves the range of float32 from about 32 layers on.

    BatchNorm is in evaluation. `statistics = "running"`, as the authors' code has it, takes its running statistics,
    means at their absolute value too; "neutral" takes mean 0 and variance 1, so that R depends on the parameters
    alone. At initialization these are the running statistics, and the two give the same bits.
    """

    name = "synflow"
    summary = "|w · ∂R/∂w|: weights that carry little synaptic flow go, without data, in 100 rounds"
    paper = "Tanaka et al. (2020), eq. 1 to 3, Algorithm 1"
    precision = "float64"
    repeatable = True
    rounds = {"name": "exponential", "count": 100}
    inverted_in_rounds = (
        "SynFlow inverted in rounds has no meaning: once the weights that carry the flow are gone, every score is 0, "
        "and the rounds that follow prune at random"
    )

    statistics: Annotated[
        Literal["running", "neutral"],
        Field(description="BatchNorm's running statistics, or mean 0 and variance 1"),
        Absent(value="neutral"),
    ] = "running"

    def prepare(self, subject: Subject) -> None:
        """Every parameter and running mean at its absolute value: once, for all rounds."""
        import torch

        from prunectl.base.batch_norm import batch_norms, neutralize
        from prunectl.pruning.engines.products import as_products

        as_products(subject.network)
        if self.statistics == "neutral":
            neutralize(subject.network)
        means = [norm.running_mean for norm in batch_norms(subject.network) if norm.running_mean is not None]
        with torch.no_grad():
            for tensor in (*subject.network.parameters(), *means):
                tensor.abs_()

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
