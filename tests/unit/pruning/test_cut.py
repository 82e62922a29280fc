"""What a cut hands to its units."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from prunectl.catalog.masks import Pruned
from prunectl.catalog.scope import Scope
from prunectl.pruning.cut import Cut
from prunectl.pruning.engines.single_weights import SingleWeights
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.lamp import LampAllocation

SCORES = {"a": torch.tensor([[3.0, 1.0], [2.0, 4.0]])}


class Recording(SingleWeights):
    """Units that keep what they were given."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def prune(self, scores: Any, scope: Scope, sparsity: float, **options: Any) -> Pruned:
        self.given = options
        return super().prune(scores, scope, sparsity, **options)


@pytest.mark.parametrize(("invert", "kept"), [(False, 4.0), (True, 1.0)])
def test_the_end_of_the_ranking_that_goes_is_part_of_the_cut(invert: bool, kept: float) -> None:
    cut = Cut(units=SingleWeights(), scope=Global(), invert=invert)
    masks = cut.masks(SCORES, 0.75, generator=torch.Generator()).masks
    assert SCORES["a"][masks["a"]].tolist() == [kept]


@pytest.mark.parametrize(("scope", "given"), [(Global(), False), (LampAllocation(), True)])
def test_only_a_scope_that_looks_at_weights_is_given_them(scope: Scope, given: bool) -> None:
    units = Recording()
    before = {"a": torch.ones(2, 2, dtype=torch.bool)}
    Cut(units=units, scope=scope).masks(SCORES, 0.5, generator=torch.Generator(), before=before, weights=SCORES)
    assert (units.given["weights"] is SCORES) is given
    assert units.given["before"] is before
