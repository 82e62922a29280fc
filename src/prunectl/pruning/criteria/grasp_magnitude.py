"""GraSP by magnitude (Frankle et al. 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import Subject
from prunectl.pruning.criteria.grasp import Grasp

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class GraspMagnitude(Grasp):
    """score = |w ⊙ Hg|: weights that matter to the gradient flow, in either direction, stay."""

    name = "grasp-magnitude"
    summary = "|w · Hg|: weights that the gradient flow does not feel go"
    paper = "Frankle et al. (2021), Section 4"
    removes = "the lowest |w · Hg|"

    def score(self, subject: Subject) -> Scores:
        """As GraSP."""
        return {name: score.abs_() for name, score in super().score(subject).items()}
