"""FORCE: foresight connection sensitivity (de Jorge et al. 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import BatchNormCriterion, Subject

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class Force(BatchNormCriterion):
    """score = |w ⊙ mean over batches of ∇L(w ⊙ c)|, c the mask of the round before (de Jorge et al. 2021, eq. 7).

    Gradients are those of the masked network, signed when they are averaged, and multiplied by the weights without
    the mask: so a weight that one round has pruned has a score, and may come back in the next. 60 rounds, density
    keep^(k/60) after round k (Algorithm 1), each on images of its own.
    """

    name = "force"
    summary = "|w · ∂L/∂w| of the pruned network in 60 rounds, in which pruned weights may come back"
    paper = "de Jorge et al. (2021), eq. 7, Algorithm 1"
    rounds = {"name": "exponential", "count": 60}
    regrows = True
    fresh_batches = True

    def score(self, subject: Subject) -> Scores:
        """One forward and one backward pass per batch."""
        from prunectl.pruning.engines.gradients import mean_gradients

        gradients = mean_gradients(subject, temperature=1.0)
        return {name: each.mul_(subject.unmasked[name]).abs_() for name, each in gradients.items()}
