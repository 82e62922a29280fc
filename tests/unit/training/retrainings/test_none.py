"""Nothing follows pruning."""

from __future__ import annotations

import pytest

from prunectl.catalog.retraining import After
from prunectl.training.retrainings.none import NoRetraining
from unit.training.retrainings.dense import DENSE


def test_nothing_is_trained_or_measured_again() -> None:
    after = NoRetraining().after(DENSE, None)
    assert after == After()
    assert (after.steps, after.weights, after.recalibrates) == (0, None, False)


@pytest.mark.parametrize("budget", [None, 0.5, 1.0])
def test_it_has_no_budget(budget: float | None) -> None:
    assert NoRetraining().settled(budget) == (NoRetraining(), None)


def test_it_goes_with_pruning_at_every_moment() -> None:
    assert NoRetraining.early
    assert not NoRetraining.trains
