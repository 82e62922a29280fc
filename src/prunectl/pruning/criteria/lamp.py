"""LAMP: layer-adaptive magnitude pruning (Lee et al. 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prunectl.catalog.criterion import Criterion, Subject

if TYPE_CHECKING:
    from prunectl.catalog.criterion import Scores


class Lamp(Criterion):
    """score = w² / Σ v² over the |v| ≥ |w| of the same layer (Lee et al. 2021, eq. 4), to be ranked globally.

    The largest weight of every layer scores 1. Sums are taken in float64.
    """

    name = "lamp"
    summary = "w² over the squares of its layer's larger weights: magnitude that layers can compare"
    paper = "Lee et al. (2021), eq. 4"
    precision = "float64"
    repeatable = True

    def score(self, subject: Subject) -> Scores:
        """One sort per layer."""
        from prunectl.pruning.engines.lamp_scores import lamp_scores

        return {name: lamp_scores(weight) for name, weight in subject.weights.items()}
