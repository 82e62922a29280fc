"""Short versions of steps, and what whole ones take by them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from planning import BASE, END, kinds, plan
from prunectl.plan.cost import estimate, known
from prunectl.plan.short import (
    ENOUGH_S,
    Timing,
    as_past,
    beginning,
    length_of,
    short_test,
    short_training,
    test_of,
    tests_in,
    timed,
    unknown_steps,
)
from prunectl.plan.steps import Init, Key, Measure, Train, key_of

test_of.__test__ = False  # type: ignore[attr-defined]  # its name begins as that of a test
tests_in.__test__ = False  # type: ignore[attr-defined]

GRADUAL = {"criterion": "magnitude", "rounds": {"name": "gradual", "to": {"epoch": 5}}}


def clocked(once_s: float, each_s: float) -> tuple[list[int], Timing]:
    """The lengths at which a step of 10,000 units is timed, and what comes of it."""
    lengths: list[int] = []

    def run(length: int) -> float:
        lengths.append(length)
        return once_s * (100 if len(lengths) == 1 else 1) + each_s * length

    return lengths, timed(run, 10_000)


def test_what_is_done_once_does_not_count_and_the_first_time_is_not_used() -> None:
    lengths, timing = clocked(once_s=2.0, each_s=3.0)
    assert lengths == [1, 2, 4], "of a step that takes long, as few units as possible"
    assert timing.each_s == pytest.approx(3.0)
    assert timing.at(1000) == pytest.approx(2.0 + 3000)


def test_steps_that_take_little_are_timed_at_a_length_that_takes_enough() -> None:
    lengths, timing = clocked(once_s=0.5, each_s=0.001)
    assert lengths == [1, 2, 4, 16, 64, 256, 1024, 2, 2], "and what takes little, three times"
    assert timing.long_s - timing.short_s >= ENOUGH_S
    assert timing.each_s == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("full", "lengths"),
    [(1, [1, 1]), (2, [1, 2]), (3, [1, 2, 3, 2, 2, 3, 3]), (9, [1, 2, 4, 9, 2, 2, 9, 9])],
)
def test_no_step_is_made_longer_than_it_is(full: int, lengths: list[int]) -> None:
    asked: list[int] = []

    def run(length: int) -> float:
        asked.append(length)
        return 0.25 + length / 1000

    timing = timed(run, full)
    assert asked == lengths
    assert timing.at(full) == pytest.approx(0.25 + full / 1000)


def test_noise_never_makes_a_time_negative() -> None:
    assert Timing(short=2, short_s=0.5, long=4, long_s=0.4).at(1000) == 0.4


def test_one_slow_moment_changes_nothing() -> None:
    times = iter([0.3, 0.9, 0.2, 0.1, 0.1, 0.2, 0.2])
    assert timed(lambda length: next(times), 4) == Timing(short=2, short_s=0.1, long=4, long_s=0.2)


def test_a_short_training_is_the_first_steps_from_untrained_weights_without_mask_and_tests() -> None:
    planned = plan({**END, "retrain": "lr-rewind"})
    retraining = next(step for step in planned.steps.values() if isinstance(step, Train) and step.mask is not None)
    start = beginning(planned, retraining)
    assert isinstance(start, Init)
    short = short_training(retraining, key_of(start), 7)
    assert (short.start, short.mask, short.evaluate, length_of(short)) == (key_of(start), None, "never", 7)
    assert (short.recipe, short.data, short.network) == (retraining.recipe, retraining.data, retraining.network)
    assert json.dumps(key_of(short)) not in map(json.dumps, planned.steps)


def test_a_short_test_looks_at_some_of_the_images() -> None:
    planned = plan({"criterion": "snip"})
    measure = next(step for step in planned.steps.values() if isinstance(step, Measure))
    short = short_test(measure, Key("k"), 50)
    assert (short.data.test_limit, short.mask, short.state) == (50, None, "k")
    assert short.metrics == measure.metrics


def test_one_training_stands_for_all_that_are_unknown() -> None:
    """Pruning on the way is another kind, and a plan asks for the first step of each kind once."""
    planned = plan({"criterion": "snip"}, GRADUAL)
    unknown = unknown_steps(planned, list(planned.steps), known([]))
    assert [like for like in unknown if like.startswith("train")] == [
        "train/tiny-cnn/digits",
        "train/tiny-cnn/digits/gradual/magnitude",
    ]
    assert unknown_steps(planned, [], known([])) == {}


def test_a_whole_training_takes_its_steps_and_its_tests() -> None:
    planned = plan({"criterion": "snip"})
    dense = next(step for step in planned.steps.values() if isinstance(step, Train))
    timing = Timing(short=2, short_s=1.2, long=7, long_s=1.7)
    past = as_past(dense, dense, timing, test_s=0.5, size_bytes=9)
    assert past.wall_s == pytest.approx(1.0 + 100 * 0.1 + 10 * 0.5)
    half = replace(dense, recipe=replace(dense.recipe, batch_size=50))
    assert as_past(half, dense, timing, test_s=0.5, size_bytes=9).wall_s == pytest.approx(1.0 + 100 * 0.05 + 10 * 0.5)
    todo = [key for key, step in planned.steps.items() if isinstance(step, Train)]
    found = estimate(planned, todo, [past])
    assert found.wall_s == pytest.approx(kinds(planned)["train"] * past.wall_s)
    assert found.size_bytes == kinds(planned)["train"] * 9


@pytest.mark.parametrize(
    ("evaluate", "first_step", "to_step", "tests"),
    [("epoch", 0, 100, 10), ("epoch", 30, 100, 7), ("epoch", 0, 35, 3), ("never", 0, 100, 0), (30, 0, 100, 4)],
)
def test_tests_are_counted_as_a_training_makes_them(
    evaluate: object, first_step: int, to_step: int, tests: int
) -> None:
    planned = plan({"criterion": "snip"}, train=BASE["train"])
    dense = next(step for step in planned.steps.values() if isinstance(step, Train))
    assert tests_in(replace(dense, evaluate=evaluate, first_step=first_step, to_step=to_step)) == tests  # type: ignore[arg-type]


def test_what_is_known_of_some_steps_is_a_part_of_an_estimate() -> None:
    planned = plan({"criterion": "snip"})
    dense = next(step for step in planned.steps.values() if isinstance(step, Train))
    past = as_past(dense, dense, Timing(short=0, short_s=0.0, long=100, long_s=3.0), test_s=0.0, size_bytes=7)
    found = estimate(planned, list(planned.steps), [past])
    assert (found.wall_s, found.size_bytes) == (None, None)
    trainings = kinds(planned)["train"]
    assert found.known_s == pytest.approx(3.0 * trainings)
    assert found.known_bytes == 7 * trainings
    assert "train (tiny-cnn, digits)" not in found.unknown and "measure (tiny-cnn, digits)" in found.unknown
