"""SNIP: single-shot network pruning based on connection sensitivity (Lee et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from prunectl.catalog.criterion import BatchNormCriterion, Subject

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class Snip(BatchNormCriterion):
    """score = mean over batches of |∂L/∂m| at m = 1, which is |w ⊙ ∂L/∂w| (Lee et al. 2019, eq. 5 and 6).

    `wrt = "weight"` is the reading of James (2022), eq. 3.5: |∂L/∂w| without the weight. BatchNorm uses the
    batch's own statistics. The paper's normalisation by the sum does not change the ranking and is left out.
    """

    name = "snip"
    summary = "|w · ∂L/∂w|: weights that the loss at initialization does not feel go"
    paper = "Lee et al. (2019), eq. 5 and 6"
    repeatable = True

    wrt: Annotated[
        Literal["mask", "weight"], Field(description="the gradient with respect to the mask, or to the weight")
    ] = "mask"

    def score(self, subject: Subject) -> Scores:
        """One forward and one backward pass per batch."""
        from prunectl.pruning.engines.gradients import loss_gradients

        total: Scores = {}
        for batch in subject.batches:
            for name, gradient in loss_gradients(subject, batch).items():
                if self.wrt == "mask":
                    gradient.mul_(subject.weights[name].detach())
                gradient.abs_()
                total[name] = total[name].add_(gradient) if name in total else gradient
        return {name: value.div_(len(subject.batches)) for name, value in total.items()}
