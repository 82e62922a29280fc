"""Gradient pruning, a baseline of James (2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import BatchNormCriterion, Subject

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class Gradient(BatchNormCriterion):
    """score = |w ⊙ g|, g = ∂L/∂w on one batch (James 2022, eq. 2.2).

    With more batches g is their mean, and |·| is taken after it; SNIP takes |·| of each batch and then the mean. On
    one batch the two are the same.
    """

    name = "gradient"
    summary = "|w · ∂L/∂w| of the mean gradient, a baseline of James (2022)"
    paper = "James (2022), eq. 2.2"
    repeatable = True

    def score(self, subject: Subject) -> Scores:
        """One forward and one backward pass per batch."""
        from prunectl.pruning.engines.gradients import loss_gradients

        total: Scores = {}
        for batch in subject.batches:
            for name, gradient in loss_gradients(subject, batch).items():
                total[name] = total[name].add_(gradient) if name in total else gradient
        for name, gradient in total.items():
            gradient.mul_(subject.weights[name].detach()).abs_().div_(len(subject.batches))
        return total
