"""BatchNorm statistics are measured again, and no weight is trained."""

from __future__ import annotations

import pytest

from prunectl.catalog.retraining import After
from prunectl.training.retrainings.recalibrate import Recalibrate
from unit.training.retrainings.dense import DENSE


def test_statistics_are_measured_and_no_step_is_taken() -> None:
    after = Recalibrate().after(DENSE, None)
    assert after == After(recalibrates=True)
    assert after.steps == 0


@pytest.mark.parametrize("budget", [None, 0.5, 1.0])
def test_it_has_no_budget(budget: float | None) -> None:
    assert Recalibrate().settled(budget) == (Recalibrate(), None)


def test_it_follows_a_trained_network_and_trains_nothing() -> None:
    assert not Recalibrate.early
    assert not Recalibrate.trains
