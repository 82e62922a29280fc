"""Magnitude pruning (Han et al. 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import Criterion, Subject

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class Magnitude(Criterion):
    """score = |w|."""

    name = "magnitude"
    summary = "|w|: the smallest weights go"
    paper = "Han et al. (2015), Section 3"
    repeatable = True

    def score(self, subject: Subject) -> Scores:
        """No data, no gradient."""
        return {name: weight.detach().abs() for name, weight in subject.weights.items()}
