"""A training stretched by what its mask saves: hand-computed lengths."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from prunectl.catalog.recipe import Stretch
from unit.training.retrainings.dense import DENSE


@pytest.mark.parametrize(
    ("saving", "cap", "steps"),
    [
        (Fraction(1), None, 100),
        (Fraction(5, 4), None, 120),  # 12.5 epochs: whole ones alone
        (Fraction(7, 2), None, 350),
        (Fraction(7, 2), 2.0, 200),
        (Fraction(7, 2), 5.0, 350),
    ],
)
def test_epochs_are_whole(saving: Fraction, cap: float | None, steps: int) -> None:
    assert Stretch(cap=cap).length(DENSE.recipe, saving) == steps


def test_a_recipe_that_ends_within_an_epoch_is_counted_in_steps() -> None:
    assert Stretch(cap=None).length(replace(DENSE.recipe, steps=95), Fraction(3, 2)) == 142
