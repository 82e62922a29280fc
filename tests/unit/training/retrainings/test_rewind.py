"""Rewinding with weights and schedule apart: the other rewindings are its corners."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunectl.base.errors import StudyError
from prunectl.catalog.retraining import After
from prunectl.catalog.values import Moment
from prunectl.training.retrainings.lr_rewind import RateRewind
from prunectl.training.retrainings.rewind import Rewind
from prunectl.training.retrainings.weight_rewind import WeightRewind
from unit.training.retrainings.dense import DENSE


@given(st.integers(0, 99))
def test_both_at_one_step_is_weight_rewinding(step: int) -> None:
    moment = Moment(step=step)
    assert Rewind(weights=moment, schedule=moment).after(DENSE, None) == WeightRewind(to=moment).after(DENSE, None)


@given(st.integers(0, 99))
def test_weights_at_the_end_is_rate_rewinding(step: int) -> None:
    rate = RateRewind().after(DENSE, (100 - step) / 100)
    assert Rewind(weights="end", schedule=Moment(step=step)).after(DENSE, None) == rate


@given(st.integers(0, 99), st.integers(0, 99))
def test_what_is_left_of_the_schedule_is_trained(weights: int, schedule: int) -> None:
    after = Rewind(weights=Moment(step=weights), schedule=Moment(step=schedule)).after(DENSE, None)
    assert after == After(weights=weights, recipe=DENSE.recipe, first=schedule, keeps=weights > 0)
    assert after.steps == 100 - schedule


def test_a_fresh_optimizer_forgets_what_it_kept() -> None:
    assert not Rewind(weights="end", optimizer_state="fresh").after(DENSE, None).keeps


def test_a_schedule_at_its_end_is_refused() -> None:
    with pytest.raises(StudyError, match=r"rewind\(schedule=end\) leaves nothing of the schedule"):
        Rewind(schedule="end").after(DENSE, None)
