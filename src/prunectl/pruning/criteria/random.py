"""Random pruning: the control that every criterion must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import Criterion, Subject

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class Random(Criterion):
    """score = U(0, 1), drawn for each weight by itself."""

    name = "random"
    summary = "a uniform draw per weight: the control"
    paper = "the control of Lee et al. (2019) and Frankle et al. (2021)"
    repeatable = True

    def score(self, subject: Subject) -> Scores:
        """Draws on the CPU, so that every device prunes the same weights."""
        import torch

        return {name: torch.rand(weight.shape, generator=subject.generator) for name, weight in subject.weights.items()}
