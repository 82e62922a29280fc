"""Evaluation: when the curve gets a point, and a training that diverges."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from prunectl.base.errors import MethodError
from prunectl.training.hooks import Evaluation
from prunectl.training.loop import advance
from prunectl.training.trainee import Trainee
from trainings import same, trainee, training


def evaluated(every: int | Literal["epoch", "never"] = "epoch", **changes: Any) -> Trainee:
    plan = training(**changes)
    return trainee(plan, hooks=[Evaluation(plan, every)])


@pytest.mark.parametrize(
    ("every", "steps"),
    [("epoch", [5, 10, 15, 20]), (3, [3, 6, 9, 12, 15, 18, 20]), (20, [20]), (50, [20]), ("never", [])],
)
def test_the_curve_has_points_where_it_was_asked_and_at_the_end(
    every: int | Literal["epoch", "never"], steps: list[int]
) -> None:
    looked = evaluated(every)
    advance(looked, 20)
    assert [point.step for point in looked.curve] == steps
    assert [point.epoch for point in looked.curve] == [step / 5 for step in steps]


def test_how_often_is_evaluated_changes_no_weight_and_no_loss() -> None:
    often, seldom, never = evaluated(1), evaluated(), evaluated("never")
    for one in (often, seldom, never):
        advance(one, 20)
    losses = [point.train_loss for point in often.curve]
    right = [point.train_top1 or 0.0 for point in often.curve]
    sizes = [8, 8, 8, 8, 7] * 4
    for number, point in enumerate(seldom.curve):
        part = slice(5 * number, 5 * number + 5)
        mean = sum(loss * size for loss, size in zip(losses[part], sizes[part], strict=True)) / 39
        assert point.train_loss == pytest.approx(mean)
        share = sum(top1 * size for top1, size in zip(right[part], sizes[part], strict=True)) / 39
        assert point.train_top1 == pytest.approx(share)
        assert (point.test_loss, point.top1) == (often.curve[part.stop - 1].test_loss, often.curve[part.stop - 1].top1)
    for other in (seldom, never):
        other.curve = often.curve
        assert same(often, other)


@pytest.mark.parametrize("every", ["epoch", "never", 3])
def test_a_diverged_training_is_refused_even_without_points(every: int | Literal["epoch", "never"]) -> None:
    with pytest.raises(MethodError, match="diverged"):
        advance(evaluated(every, lr=1e30), 20)


def test_a_training_that_diverges_in_the_last_update_of_an_epoch_is_refused() -> None:
    """The losses that were trained on are finite: they are of the weights before each update."""
    with pytest.raises(MethodError, match=r"diverged: the test loss is (nan|inf) after step 1$"):
        advance(evaluated(lr=1e30, steps=1, steps_per_epoch=1), 1)
