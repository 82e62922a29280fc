"""Mean, spread and intervals of a few numbers, mostly one per seed. Each interval names its kind.

t-intervals are for differences paired by seed, the 80 % bootstrap for plots as Renda et al. (2020) draw them.
Fewer than three numbers have no interval, and numbers without any spread have no t-interval.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from statistics import median
from typing import TYPE_CHECKING, Literal, TypeVar

from prunectl.base.rng import seed_of
from prunectl.base.text import percent, plural

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K = TypeVar("K", bound=Hashable)

Center = Literal["mean", "median"]
"""How a number is averaged over seeds."""

FEWEST = 3
"""The least number of values that have an interval."""

NO_SPREAD = 1e-9
"""A standard deviation up to this is a rounding error: accuracies of a million images are multiples of 1e-6."""

EXACT_UP_TO = 5
"""The largest number of values whose bootstraps are enumerated; beyond, they are drawn."""

RESAMPLES = 10_000

ROUNDING = 1e-9
"""What a number of resamples may lack to a tail, which is a product of floats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """An interval, its kind ('95 % t-interval of the mean') and the number of values behind it."""

    low: float
    high: float
    kind: str
    n: int


def mean(values: Sequence[float]) -> float:
    """The mean, rounded once."""
    return math.fsum(values) / len(values)


def sd(values: Sequence[float]) -> float | None:
    """The standard deviation with n − 1; None for a single value."""
    if len(values) < 2:
        return None
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def center(values: Sequence[float], of: Center) -> float:
    """The mean or the median."""
    return mean(values) if of == "mean" else median(values)


def t_interval(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """Student's interval of the mean; None for fewer than three values, and for values that are all the same.

    Equal values do not show the spread: accuracies come in steps of one image, so three seeds may agree by chance.
    Their interval would have no width, and settle what it should not.
    """
    intervals = t_intervals(values, level)
    return intervals[0] if intervals else None


def t_intervals(values: Sequence[float], *levels: float) -> tuple[Interval, ...]:
    """Student's intervals of one mean at several levels; none where `t_interval` is None."""
    spread, n = sd(values), len(values)
    if spread is None or n < FEWEST or spread <= NO_SPREAD:
        return ()
    centre, error = mean(values), spread / math.sqrt(n)
    halves = ((level, error * t_quantile((1 + level) / 2, n - 1)) for level in levels)
    return tuple(Interval(low=centre - half, high=centre + half, kind=_t_kind(level), n=n) for level, half in halves)


@cache
def _t_kind(level: float) -> str:
    return f"{percent(level)} t-interval of the mean"


def bootstrap(values: Sequence[float], of: Center = "mean", level: float = 0.8) -> Interval | None:
    """The percentile bootstrap interval of the mean or the median; None for fewer than three values.

    Of few values it covers the truth less often than its level: see `coverage`.

    Up to five values all resamples are enumerated; beyond, 10,000 are drawn, the same on every call. The bounds
    are the innermost values with at least (1 − level)/2 of the resamples at or beyond them.
    """
    n = len(values)
    if n < FEWEST:
        return None
    ordered, tail = sorted(values), (1 - level) / 2
    low, high = (_enumerated if n <= EXACT_UP_TO else _drawn)(ordered, of, tail)
    return Interval(low=low, high=high, kind=f"{level * 100:.0f} % bootstrap interval of the {of}", n=n)


_SIZES = (*range(3, 21), 30)
_MEAN = (61, 66, 68, 72, 72, 74, 74, 76, 75, 75, 76, 77, 76, 76, 77, 77, 77, 77, 78)
_MEDIAN = (75, 75, 62, 78, 88, 79, 82, 82, 78, 77, 74, 78, 70, 78, 86, 80, 84, 80, 77)
COVERAGE: Mapping[Center, Mapping[int, float]] = {
    "mean": {n: share / 100 for n, share in zip(_SIZES, _MEAN, strict=True)},
    "median": {n: share / 100 for n, share in zip(_SIZES, _MEDIAN, strict=True)},
}
"""How often the 80 % bootstrap interval of n normal values holds their true mean or median, from 200,000 draws up to
five values and 10,000 or more beyond: `python bench/verdicts.py coverage`. That of medians goes up and down with n.
"""


def coverage(n: int, of: Center) -> float:
    """The share of 80 % bootstrap intervals of n values that hold the truth; between the n of COVERAGE the next lower.

    Raises ValueError for fewer than three values, which have no interval.
    """
    if n < FEWEST:
        raise ValueError(f"at least {FEWEST} values have an interval")
    return COVERAGE[of][max(known for known in COVERAGE[of] if known <= n)]


def bootstrap_words(n: int, of: Center) -> str:
    """The interval that accuracies over n seeds are shown with, and what it is worth."""
    name = f"80 % bootstrap interval of the {of}"
    return f"{name} (with {plural(n, 'seed')} it holds the true {of} in {percent(coverage(n, of), 0)} of studies)"


def kinds_of_interval(n: int, of: Center) -> str:
    """The sentences of a page about its two kinds of interval; n is the least number of seeds of an accuracy."""
    return (
        f"Intervals of accuracies: the {bootstrap_words(n, of)}; they judge nothing. Differences are judged by the "
        "95 % t-interval of their mean over the seeds."
    )


@cache
def _resamples(n: int) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Every multiset of n picks out of n, with the number of orders that it comes in (n^n in all)."""
    return tuple(
        (picks, math.factorial(n) // math.prod(math.factorial(picks.count(i)) for i in set(picks)))
        for picks in combinations_with_replacement(range(n), n)
    )


def _enumerated(ordered: Sequence[float], of: Center, tail: float) -> tuple[float, float]:
    """The bounds by all resamples; `tail` is the share of them at or beyond each bound."""
    weighted = sorted((center([ordered[i] for i in picks], of), ways) for picks, ways in _resamples(len(ordered)))
    reach = tail * sum(ways for _, ways in weighted)
    return _reaches(weighted, reach), _reaches(weighted[::-1], reach)


def _drawn(ordered: Sequence[float], of: Center, tail: float) -> tuple[float, float]:
    """The bounds by the drawn resamples, which have one weight: each bound is at a place in their order."""
    import numpy as np

    samples = np.asarray(ordered)[_picks(len(ordered))]
    centers = np.sort(samples.mean(axis=1) if of == "mean" else np.median(samples, axis=1))
    place = max(math.ceil(tail * RESAMPLES - ROUNDING) - 1, 0)
    return float(centers[place]), float(centers[RESAMPLES - 1 - place])


@cache
def _picks(n: int) -> NDArray[np.int64]:
    """The resamples that are drawn of n values, as places (RESAMPLES, n): the same on every call."""
    import numpy as np

    return np.random.default_rng(seed_of(n, "bootstrap")).integers(0, n, size=(RESAMPLES, n))


def _reaches(weighted: Sequence[tuple[float, int]], tail: float) -> float:
    total = 0
    for value, ways in weighted:
        total += ways
        if total >= tail - ROUNDING:
            return value
    raise AssertionError("a tail is less than everything")


def paired(ones: Mapping[K, float], others: Mapping[K, float]) -> dict[K, float]:
    """one − other for every seed that both have, in the order of the first."""
    return {seed: value - others[seed] for seed, value in ones.items() if seed in others}


@cache
def t_quantile(p: float, df: float) -> float:
    """The t with P(T ≤ t) = p for Student's distribution with df degrees of freedom; 0 < p < 1."""
    if not 0 < p < 1 or df <= 0:
        raise ValueError("a quantile is for 0 < p < 1 and df > 0")
    if p < 0.5:
        return -t_quantile(1 - p, df)
    tail = 2 * (1 - p)
    low, high = 0.0, 1.0
    while _two_tails(high, df) > tail:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _two_tails(middle, df) > tail else (low, middle)
    return (low + high) / 2


def _two_tails(t: float, df: float) -> float:
    """P(|T| ≥ t)."""
    return incomplete_beta(df / 2, 0.5, df / (df + t * t))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if not 0 <= x <= 1 or a <= 0 or b <= 0:
        raise ValueError("I_x(a, b) is for 0 ≤ x ≤ 1 and a, b > 0")
    if x in (0, 1):
        return float(x)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a * _beta_fraction(a, b, x)


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22)."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 1000):
        for factor in _beta_terms(a, b, x, m):
            d = 1 / (1 + factor * d)
            c = 1 + factor / c
            value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value


def _beta_terms(a: float, b: float, x: float, m: int) -> Iterable[float]:
    yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
