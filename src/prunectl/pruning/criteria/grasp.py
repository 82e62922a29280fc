"""GraSP: picking winning tickets by preserving gradient flow (Wang et al. 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from prunectl.catalog.criterion import DataCriterion, Subject

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class Grasp(DataCriterion):
    """score = +w ⊙ Hg: the lowest go, which are the paper's highest S(−w) = −w ⊙ Hg (Wang et al. 2020, eq. 8).

    Removing a weight changes ‖g‖² by about −2 w·Hg, so the weights whose removal lowers the gradient flow least, or
    raises it most, go. g and Hg are of the same frozen batch, with logits divided by T = 200; with more batches the
    products are averaged. Under a mask, g is that of the weights still there. Signed: ranked from one end only.
    """

    name = "grasp"
    summary = "w · Hg: weights whose removal harms the gradient flow least go"
    paper = "Wang et al. (2020), eq. 8, Algorithm 1"
    removes = "the highest −w · Hg, which is the lowest w · Hg"
    batch_norm = "train"
    repeatable = True

    temperature: Annotated[float, Field(gt=0, description="what the logits are divided by")] = 200.0

    def score(self, subject: Subject) -> Scores:
        """One forward pass and one double backward pass per batch."""
        from prunectl.pruning.engines.gradients import hessian_gradient_products

        total: Scores = {}
        for batch in subject.batches:
            for name, product in hessian_gradient_products(subject, batch, self.temperature).items():
                total[name] = total[name].add_(product) if name in total else product
        for name, product in total.items():
            product.mul_(subject.weights[name].detach()).div_(len(subject.batches))
        return total
