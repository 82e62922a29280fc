"""GraSP: picking winning tickets by preserving gradient flow (Wang et al. 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from prunectl.catalog.criterion import BatchNormCriterion, Subject
from prunectl.catalog.entry import Absent

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class Grasp(BatchNormCriterion):
    """score = +w ⊙ Hg: the lowest go, which are the paper's highest S(−w) = −w ⊙ Hg (Wang et al. 2020, eq. 8).

    Removing a weight changes ‖g‖² by about −2 w·Hg, so the weights whose removal lowers the gradient flow least, or
    raises it most, go. g and Hg are of the same frozen batch, with logits divided by T = 200. Under a mask, g is that
    of the weights still there. Signed: ranked from one end only.

    With several batches b, `average = "products"` is the mean of H_b g_b, as Frankle et al. (2021) have it, and
    "gradients" the mean of H_b times the mean of g_b, as the authors' code has it. On one batch the two are the same.
    """

    name = "grasp"
    summary = "w · Hg: weights whose removal harms the gradient flow least go"
    paper = "Wang et al. (2020), eq. 8, Algorithm 1"
    removes = "the highest −w · Hg, which is the lowest w · Hg"
    repeatable = True

    temperature: Annotated[float, Field(gt=0, description="what the logits are divided by")] = 200.0

    average: Annotated[
        Literal["products", "gradients"],
        Field(description="with several batches, average H · g of each, or g and H apart"),
        Absent(value="products"),
    ] = "products"

    def score(self, subject: Subject) -> Scores:
        """One forward pass and one double backward pass per batch; to average g first, one more of each, not double."""
        from prunectl.pruning.engines.gradients import hessian_gradient_products, mean_gradients

        apart = self.average == "gradients" and len(subject.batches) > 1
        mean = mean_gradients(subject, self.temperature) if apart else None
        total: Scores = {}
        for batch in subject.batches:
            for name, product in hessian_gradient_products(subject, batch, self.temperature, mean).items():
                total[name] = total[name].add_(product) if name in total else product
        for name, product in total.items():
            product.mul_(subject.weights[name].detach()).div_(len(subject.batches))
        return total
