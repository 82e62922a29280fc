"""Up to where an arm matches the dense network: the rule, on numbers alone.

Places are those of a sweep in the order in which matching becomes harder: sparsities from the lowest to the highest,
or moments of pruning from the latest to the earliest. Each has the differences arm − dense, paired by seed. Everything
here is a pure function of these numbers, so that a simulation can drive it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeVar

from prunectl.results.statistics import Interval, mean, t_interval
from prunectl.results.verdict_rule import ROUNDING, below

T = TypeVar("T")

TWO_SIDED = 0.90
"""The level of the two-sided t-interval whose bounds are the one-sided 95 % bounds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A sparsity or a moment of a sweep: the differences arm − dense in accuracy, one a seed.

    Where trials are missing or failed (`whole` is false) nothing is proved or excluded: an unfinished study would be
    judged at each of its seeds on the way.
    """

    differences: tuple[float, ...]
    whole: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How many of the places of a sweep, from the easiest on, are matched: 0 is none of them, `of` all of them.

    Always proved ≤ estimate ≤ not_excluded ≤ of. If all are matched, the truth may lie beyond the sweep.
    """

    proved: int
    """At each the one-sided 95 % lower bound of the mean difference is at or above −margin."""
    estimate: int
    """At each the mean difference is at or above −margin."""
    not_excluded: int
    """All before the first whose one-sided 95 % upper bound lies below −margin."""
    of: int


def reach(places: Sequence[Place], margin: float) -> Reach:
    """How far an arm matches the dense network within a margin (a fraction, ≥ 0): Frankle et al. (2021), section 1."""
    intervals = [t_interval(place.differences, TWO_SIDED) if place.whole else None for place in places]

    def proves(interval: Interval | None) -> bool:
        return interval is not None and interval.low >= -margin - ROUNDING

    return Reach(
        proved=_leading(proves, intervals),
        estimate=_leading(lambda place: within(place.differences, margin), places),
        not_excluded=_leading(lambda interval: not below(interval, -margin), intervals),
        of=len(places),
    )


def within(differences: Sequence[float], margin: float) -> bool:
    """Whether the mean of differences is at or above −margin; no differences show nothing."""
    return bool(differences) and mean(differences) >= -margin - ROUNDING


def _leading(holds: Callable[[T], bool], places: Iterable[T]) -> int:
    """The number of places before the first at which something does not hold."""
    return sum(1 for _ in takewhile(holds, places))
