"""Whether networks do better than guessing. Differences between networks that guess are noise, or nothing at all.

`all_guess` answers for a group of trials, `at_chance` for the pairs of a comparison, both by one rule. `in_words` is
the rule for readers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache

import polars as pl

from prunectl.base.text import percent
from prunectl.catalog.metric import Metric
from prunectl.results.statistics import incomplete_beta
from prunectl.results.table import METRICS, Task

BAND = 0.99
"""Guessing stays within the middle of this share of the binomial distribution."""
TOLERANCE = 0.01
"""How far, as a share of chance, a loss may lie on its better side and still be one of guessing."""
SIDES = ("", "_dense", "_before_retrain", "_other", "_dense_other")
"""What follows a metric's name in columns: the trial's own network, its dense one, that before retraining, and those of
the trial that it is paired with.
"""
JUDGED_BY = "top1"
"""The metric that every network is judged by, in addition to the one that a claim is about."""
COLUMNS = {f"{metric.name}{side}": (metric, side) for metric in METRICS for side in SIDES}
"""Metric and side of each column whose networks may guess."""


def all_guess(trials: pl.DataFrame, task: Task | None, column: str = "top1") -> bool | None:
    """Whether every network of a group guesses (an arm at a sparsity, with all seeds), in a column and in top-1.

    The column is one of a metric, or of a metric of other networks in the same rows: 'top1_dense', 'top1_other'. None
    where there is no network, and where the number of classes is not known: a results file does not record it. Raises
    KeyError for a column of no metric.
    """
    metric, side = COLUMNS[column]
    return None if task is None or trials.is_empty() else at_chance(trials, (side,), metric, task)


def in_words(task: Task, metric: type[Metric] | None = None) -> str:
    """Up to where a network guesses, 'top-1 accuracy at most 10.78 % with 10 classes': in top-1, or in another metric
    if its chance is known.
    """
    known = limits(metric, task)
    judged = metric if metric is not None and metric in known else next(iter(known))
    limit = known[judged]
    end = "at most" if judged.better == "high" else "at least"
    shown = percent(limit, 2) if judged.unit == "fraction" else f"{limit:.4g}"
    return f"{judged.title} {end} {shown} with {task.classes:,} classes"


def explained(task: Task | None) -> str:
    """What it means that an arm is at chance, for the line under a table."""
    limit = f" ({in_words(task)})" if task is not None else ""
    return f"at chance: no better than guessing, with every seed{limit}"


def at_chance(trials: pl.DataFrame, sides: Sequence[str], metric: type[Metric], task: Task) -> bool:
    """Whether every network guesses, as far as that can be known: in the metric, and in top-1.

    `sides` are the suffixes of the columns of the networks that are compared: '' and '_other'. A metric whose chance is
    not known (ece) leaves the question to top-1.
    """
    known = limits(metric, task)
    return bool(known) and all(
        _no_better(trials[f"{judged.name}{side}"].to_list(), judged, limit)
        for judged, limit in known.items()
        for side in sides
    )


def limits(metric: type[Metric] | None, task: Task) -> dict[type[Metric], float]:
    """The best value that guessing gives in top-1 and in the metric, if another is asked for, as far as it is known."""
    asked = [each for each in METRICS if each.name == JUDGED_BY or each is metric]
    return {each: limit for each in asked if (limit := guessed(each, task)) is not None}


def guessed(metric: type[Metric], task: Task) -> float | None:
    """The best value that guessing gives, but for once in 200 tests; None where chance is not known.

    A fraction is one of the images: the upper end of the binomial band. Another value may be better by 1 %.
    """
    chance, images = metric.chance(task.classes), task.count(metric.part)
    if chance is None or not images:
        return None
    if metric.unit == "fraction":
        return most_right(images, chance) / images
    return chance * (1 - TOLERANCE if metric.better == "low" else 1 + TOLERANCE)


def _no_better(values: Iterable[float | None], metric: type[Metric], limit: float) -> bool:
    return all(value is not None and metric.gain(value, limit) <= 0 for value in values)


@cache
def most_right(images: int, chance: float) -> int:
    """The upper end of the middle 99 % of the number of right guesses: the least k with P(right > k) ≤ 0.5 %."""
    low, high = math.floor(images * chance) - 1, images
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _more(images, chance, middle) <= (1 - BAND) / 2 else (middle, high)
    return high


def _more(images: int, chance: float, count: int) -> float:
    """P(more than `count` of the images are right)."""
    if count < 0:
        return 1.0
    return 0.0 if count >= images else incomplete_beta(count + 1, images - count, chance)
