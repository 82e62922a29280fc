"""What guessing reaches, and which networks do no better."""

from __future__ import annotations

import math
from fractions import Fraction

import polars as pl
import pytest

from prunectl.catalog.lookup import entry_type
from prunectl.catalog.metric import Metric
from prunectl.results.chance import all_guess, at_chance, explained, guessed, in_words, most_right
from prunectl.results.table import Task

DIGITS = Task(classes=10, images=10_000)


def metric(name: str) -> type[Metric]:
    return entry_type("metrics", name, Metric)


def more(images: int, chance: Fraction, count: int) -> Fraction:
    """P(more than `count` right), exactly."""
    ways = range(count + 1, images + 1)
    return sum((math.comb(images, k) * chance**k * (1 - chance) ** (images - k) for k in ways), Fraction(0))


@pytest.mark.parametrize(("images", "classes"), [(3, 10), (20, 2), (50, 10), (100, 100)])
def test_the_band_of_guessing_ends_where_half_a_percent_is_left(images: int, classes: int) -> None:
    chance = Fraction(1, classes)
    found = most_right(images, float(chance))
    assert more(images, chance, found) <= Fraction(5, 1000)
    assert found == 0 or more(images, chance, found - 1) > Fraction(5, 1000)


def test_the_band_of_many_images_is_the_normal_one() -> None:
    assert most_right(10_000, 0.1) / 10_000 == pytest.approx(0.1 + 2.576 * math.sqrt(0.1 * 0.9 / 10_000), abs=2e-4)
    assert most_right(50_000, 0.001) == 69


def test_each_metric_has_its_chance_or_none() -> None:
    assert guessed(metric("top1"), DIGITS) == 0.1078
    assert guessed(metric("loss"), DIGITS) == pytest.approx(0.99 * math.log(10))
    assert guessed(metric("top5"), Task(classes=4, images=100)) == 1.0
    assert guessed(metric("ece"), DIGITS) is None


@pytest.mark.parametrize(
    ("name", "value", "top1", "expected"),
    [
        ("top1", 0.1, 0.1, True), ("top1", 0.11, 0.11, False), ("loss", 2.31, 0.1, True), ("loss", 2.2, 0.1, False),
        ("loss", 2.31, 0.5, False), ("top5", 0.5, 0.1, True), ("top5", 0.6, 0.1, False), ("ece", 0.001, 0.1, True),
        ("ece", 0.001, 0.5, False),
    ],
)  # fmt: skip
def test_networks_are_judged_by_the_metric_and_by_top1(name: str, value: float, top1: float, expected: bool) -> None:
    """A loss above ln 10 may be that of a network that is sure and often right; ece alone does not know chance."""
    pairs = pl.DataFrame({"top1": [0.1, top1], "top1_other": [0.1, 0.1]})
    if name != "top1":
        pairs = pairs.with_columns(pl.lit(value).alias(f"{name}{side}") for side in ("", "_other"))
    assert at_chance(pairs, ("", "_other"), metric(name), DIGITS) is expected


def test_a_network_that_was_not_measured_is_not_at_chance() -> None:
    pairs = pl.DataFrame({"top1": [0.1, None], "top1_other": [0.1, 0.1]})
    assert not at_chance(pairs, ("", "_other"), metric("top1"), DIGITS)


def test_a_group_guesses_if_all_of_its_networks_do_in_the_column_and_in_top1() -> None:
    trials = pl.DataFrame({"top1": [0.1, 0.107], "top1_dense": [0.1, 0.9], "top5": [0.5, 0.6], "loss": [2.31, 2.4]})
    asked = ("top1", "top1_dense", "top5", "loss")
    assert [all_guess(trials, DIGITS, column) for column in asked] == [True, False, False, True]
    assert all_guess(trials.with_columns(top1=0.2), DIGITS, "loss") is False
    assert all_guess(trials.rename({"top1_dense": "top1_other"}), DIGITS, "top1_other") is False


def test_a_column_of_no_metric_is_refused() -> None:
    with pytest.raises(KeyError):
        all_guess(pl.DataFrame({"top1_other_day": [0.1]}), DIGITS, "top1_other_day")


def test_whether_a_group_guesses_is_not_known_without_networks_or_the_number_of_classes() -> None:
    trials = pl.DataFrame({"top1": [0.1]})
    assert all_guess(trials, None) is None and all_guess(trials.clear(), DIGITS) is None


def test_the_rule_is_in_words_with_its_limit() -> None:
    assert in_words(DIGITS) == in_words(DIGITS, metric("ece")) == "top-1 accuracy at most 10.78 % with 10 classes"
    assert in_words(DIGITS, metric("loss")) == "loss at least 2.28 with 10 classes"
    assert explained(DIGITS).endswith("with every seed (top-1 accuracy at most 10.78 % with 10 classes)")
    assert explained(None).endswith("no better than guessing, with every seed")
