"""GraSP by magnitude (Frankle et al. 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from prunectl.catalog.criterion import Subject
from prunectl.pruning.criteria.grasp import Grasp

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class GraspMagnitude(Grasp):
    """score = |w ⊙ Hg|: weights that matter to the gradient flow, in either direction, stay."""

    name: ClassVar[str] = "grasp-magnitude"
    summary: ClassVar[str] = "|w · Hg|: weights that the gradient flow does not feel go"
    paper: ClassVar[str] = "Frankle et al. (2021), Section 4"
    removes: ClassVar[str] = "the lowest |w · Hg|"

    def score(self, subject: Subject) -> Scores:
        """As GraSP."""
        return {name: score.abs_() for name, score in super().score(subject).items()}
