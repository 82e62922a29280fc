"""Schedules: factors, warmup, units, and what does not fit into a training."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prunectl.catalog.recipe import learning_rate
from prunectl.catalog.schedule import Schedule
from prunectl.training.schedules.constant import Constant
from prunectl.training.schedules.cosine import Cosine
from prunectl.training.schedules.cyclic import Cyclic
from prunectl.training.schedules.linear import Linear
from prunectl.training.schedules.step import Step
from trainings import training

EXAMPLES: list[Schedule] = [
    Constant(),
    Step(milestones=(10, 15)),
    Cosine(),
    Linear(),
    Cyclic(half_cycle=3),
    Cyclic(half_cycle=4, lowest=0.1, mode="triangular2"),
    Cyclic(half_cycle=7, mode="exp_range", gamma=0.99),
]


@given(st.sampled_from(EXAMPLES), st.integers(0, 19), st.integers(0, 8))
def test_rates_are_positive_and_warmup_rises_to_them(schedule: Schedule, step: int, warmup: int) -> None:
    warm = schedule.model_copy(update={"warmup": warmup})
    rate, cold = (learning_rate(training(schedule=each).recipe, step) for each in (warm, schedule))
    assert 0 <= rate <= cold <= 0.1
    assert rate == pytest.approx(cold * min(1, step / warmup) if warmup else cold)


def test_a_warmup_begins_at_0_as_the_authors_have_it() -> None:
    """open_lth's schedule multiplies by min(1, step / W)."""
    recipe = training(schedule=Step(milestones=(10, 15), warmup=4)).recipe
    rates = [learning_rate(recipe, step) for step in (0, 1, 2, 3, 4, 9, 10)]
    assert rates == pytest.approx([0, 0.025, 0.05, 0.075, 0.1, 0.1, 0.01])


def test_a_warmup_has_a_key_of_its_own_and_a_schedule_without_keeps_its_key() -> None:
    """A warmup that began at 1/W of the rate was another training."""
    assert Cosine().preimage() == {"name": "cosine", "version": 1, "warmup": 0}
    assert Cosine(warmup=3).preimage() == {"name": "cosine", "version": 1, "warmup": 3, "warmup_version": 2}


def test_a_stretched_schedule_keeps_its_shape() -> None:
    assert Step(milestones=(2, 5), warmup=1).stretched(Fraction(5, 2)) == Step(milestones=(5, 12), warmup=2)
    assert Cyclic(half_cycle=3).stretched(Fraction(2)) == Cyclic(half_cycle=6)
    slow = Cosine().stretched(Fraction(5))
    rates = [slow.factor(5 * step, 100) for step in range(20)]
    assert rates == pytest.approx([Cosine().factor(step, 20) for step in range(20)])


@pytest.mark.parametrize("schedule", EXAMPLES, ids=lambda schedule: schedule.label())
def test_a_schedule_in_steps_goes_the_same_way_unit_times_as_slowly(schedule: Schedule) -> None:
    slow = schedule.in_steps(5)
    for step in range(20):
        if schedule.label() == "cyclic(half_cycle=7, mode=exp_range, gamma=0.99)":
            continue  # gamma counts optimizer steps, whatever the unit
        assert slow.factor(5 * step, 100) == pytest.approx(schedule.factor(step, 20))


def test_the_same_schedule_in_other_units_has_another_preimage() -> None:
    """Also after that of the first was asked for, and kept."""
    epochs = Step(milestones=(2, 5), warmup=1)
    assert epochs.preimage()["milestones"] == [2, 5]
    steps = epochs.in_steps(10)
    assert (steps.preimage()["milestones"], steps.preimage()["warmup"]) == ([20, 50], 10)
    assert steps == Step(milestones=(20, 50), warmup=10)
    assert hash(steps) == hash(Step(milestones=(20, 50), warmup=10))
    assert epochs == Step(milestones=(2, 5), warmup=1)


def test_cosine_and_linear_run_to_their_ends() -> None:
    cosine, linear = (training(schedule=each).recipe for each in (Cosine(), Linear()))
    assert learning_rate(cosine, 0) == learning_rate(linear, 0) == 0.1
    assert learning_rate(cosine, 10) == pytest.approx(0.05)
    assert learning_rate(linear, 15) == pytest.approx(0.025)


def test_a_rate_falls_at_each_milestone() -> None:
    assert [Step(milestones=(2, 4), gamma=0.5).factor(step, 6) for step in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_the_triangle_rises_to_the_rate_and_falls_to_its_lowest() -> None:
    cycle = Cyclic(half_cycle=2, lowest=0.5)
    assert [cycle.factor(step, 9) for step in range(9)] == [0.5, 0.75, 1, 0.75, 0.5, 0.75, 1, 0.75, 0.5]


@pytest.mark.parametrize(
    ("schedule", "length", "places"),
    [
        (Step(milestones=(5, 9)), 9, [("milestones", 1)]),
        (Step(milestones=(5, 8)), 9, []),
        (Step(milestones=(9, 10), warmup=9), 9, [("milestones", 0), ("milestones", 1), ("warmup",)]),
        (Cosine(warmup=8), 9, []),
        (Cosine(warmup=9), 9, [("warmup",)]),
        (Cyclic(half_cycle=9), 9, [("half_cycle",)]),
        (Cyclic(half_cycle=8), 9, []),
    ],
)
def test_what_does_not_fit_is_named(schedule: Schedule, length: int, places: list[tuple[str | int, ...]]) -> None:
    assert [place for place, _ in schedule.problems(length)] == places


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"half_cycle": 2, "mode": "exp_range"}, 'mode = "exp_range" needs it'),
        ({"half_cycle": 2, "gamma": 0.5}, 'is for mode = "exp_range", not for "triangular"'),
        ({"half_cycle": 2, "lowest": 1}, "less than 1"),
        ({}, r"half_cycle\n  missing: must be a whole number, at least 1"),
    ],
)
def test_a_cycle_that_means_nothing_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Cyclic.model_validate(table)
