"""Intervals against values printed in textbooks and worked out by hand."""

from __future__ import annotations

import cProfile
import math
import random

import numpy as np
import pytest

from prunectl.base.rng import seed_of
from prunectl.results.statistics import (
    COVERAGE,
    Center,
    bootstrap,
    bootstrap_words,
    center,
    coverage,
    incomplete_beta,
    mean,
    paired,
    sd,
    t_interval,
    t_intervals,
    t_quantile,
)
from simulated import covered

T_975 = {  # two-sided 95 %, to 16 digits (Abramowitz and Stegun, table 26.10, print the first six)
    1: 12.70620473617470,
    2: 4.302652729749464,
    3: 3.182446305283710,
    4: 2.776445105197794,
    5: 2.570581835636316,
    9: 2.262157162798206,
    17: 2.109815577833317,
    30: 2.042272456301238,
    100: 1.983971518523552,
}


@pytest.mark.parametrize(("df", "quantile"), T_975.items())
def test_t_quantiles_are_the_textbooks(df: int, quantile: float) -> None:
    assert t_quantile(0.975, df) == pytest.approx(quantile, rel=1e-12)
    assert t_quantile(0.025, df) == -t_quantile(0.975, df)


@pytest.mark.parametrize("p", [0.55, 0.75, 0.9, 0.995])
def test_t_quantiles_with_closed_forms(p: float) -> None:
    """One degree of freedom is Cauchy's distribution; two have a closed form as well."""
    assert t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)), rel=1e-12)
    assert t_quantile(p, 2) == pytest.approx((2 * p - 1) / math.sqrt(2 * p * (1 - p)), rel=1e-12)


def test_incomplete_beta_where_it_is_a_polynomial() -> None:
    assert incomplete_beta(2, 3, 0.4) == pytest.approx(0.5248, rel=1e-12)
    assert incomplete_beta(1, 1, 0.3) == pytest.approx(0.3, rel=1e-12)
    assert incomplete_beta(0.5, 0.5, 0.25) == pytest.approx(1 / 3, rel=1e-12)  # (2/π) arcsin √x


def test_student_s_sleep_data() -> None:
    """Student (1908), the extra hours of sleep: mean 1.58, 95 % interval 0.70 to 2.46 as R prints it."""
    extra = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    found = t_interval(extra)
    assert found is not None
    assert mean(extra) == pytest.approx(1.58)
    assert (found.n, found.kind) == (10, "95 % t-interval of the mean")
    assert [found.low, found.high] == pytest.approx([0.7001142, 2.4598858], abs=1e-7)


def test_moments() -> None:
    values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
    assert mean(values) == 5
    assert sd(values) == pytest.approx(math.sqrt(32 / 7))
    assert mean([0.1] * 10) == 0.1
    assert (center(values, "mean"), center(values, "median")) == (5, 4.5)


def test_one_value_has_no_interval() -> None:
    assert t_interval([0.9]) is None
    assert bootstrap([0.9]) is None
    assert sd([0.9]) is None


def test_equal_values_tell_nothing_of_the_spread() -> None:
    """An interval of no width would leave 0 out, and settle a question by seeds that happen to agree."""
    for n in (2, 3, 10):
        assert t_interval([-0.25] * n) is None
    assert t_interval([0.91 - 0.81, 0.92 - 0.82, 0.93 - 0.83]) is None  # equal but for rounding
    assert t_interval([-0.25, -0.25, -0.2501]) is not None


def test_two_values_have_no_interval() -> None:
    assert t_interval([1.0, 2.0]) is None
    assert bootstrap([1.0, 2.0]) is None


def test_several_levels_have_one_mean() -> None:
    values = [1.0, 2.0, 4.0]
    assert t_intervals(values, 0.95, 0.975) == (t_interval(values), t_interval(values, 0.975))
    assert t_intervals(values, 1 - 0.025 / 36)[0].kind == "99.93 % t-interval of the mean"
    assert t_intervals([1.0, 2.0], 0.95) == ()


@pytest.mark.parametrize(("n", "of"), [(3, "mean"), (4, "mean"), (5, "mean"), (3, "median"), (5, "median")])
def test_the_bootstrap_covers_as_often_as_the_table_states(n: int, of: Center) -> None:
    """80 % in name: of three seeds the interval of the mean holds the truth in 61 % of studies."""
    draws = 4000
    assert covered(n, of, draws) == pytest.approx(COVERAGE[of][n], abs=0.005 + 3 * (0.25 / draws) ** 0.5)


def test_coverage_between_the_numbers_of_the_table_is_that_of_the_next_lower() -> None:
    assert (coverage(25, "mean"), coverage(1000, "mean")) == (COVERAGE["mean"][20], COVERAGE["mean"][30])
    assert COVERAGE["mean"].keys() == COVERAGE["median"].keys()
    assert bootstrap_words(3, "mean").endswith("(with 3 seeds it holds the true mean in 61 % of studies)")
    with pytest.raises(ValueError, match="at least 3"):
        coverage(2, "mean")


def test_the_bootstrap_of_three_by_hand() -> None:
    """27 resamples of 0, 3, 6. Means 0 (1), 1 (3), 2 (6), ...: a tenth of 27 lies within the first four."""
    found = bootstrap([0.0, 3.0, 6.0])
    assert found is not None
    assert (found.low, found.high) == (1, 5)
    middle = bootstrap([0.0, 3.0, 6.0], of="median")
    assert middle is not None
    assert (middle.low, middle.high) == (0, 6)  # a median of 0 comes 7 times in 27


def test_drawn_bootstraps_repeat_and_come_near_the_exact_one() -> None:
    values = [float(value) for value in range(12)]
    found = bootstrap(values)
    assert found == bootstrap(values[::-1])
    assert found is not None
    normal = 1.2816 * math.sqrt(sum((v - 5.5) ** 2 for v in values)) / 12  # z · σ / √n with the n of the resample
    assert found.low == pytest.approx(5.5 - normal, abs=0.1)
    assert found.high == pytest.approx(5.5 + normal, abs=0.1)


def counted(values: list[float], of: Center, level: float) -> tuple[float, float]:
    """The bounds of drawn resamples by the definition: counted one by one from both ends."""
    picks = np.random.default_rng(seed_of(len(values), "bootstrap")).integers(0, len(values), (10_000, len(values)))
    samples = np.asarray(sorted(values))[picks]
    centers = [float(value) for value in np.sort(samples.mean(axis=1) if of == "mean" else np.median(samples, axis=1))]
    tail = (1 - level) / 2 * len(centers)

    def reached(values: list[float]) -> float:
        return next(value for count, value in enumerate(values, 1) if count >= tail - 1e-9)

    return reached(centers), reached(centers[::-1])


@pytest.mark.parametrize("of", ["mean", "median"])
@pytest.mark.parametrize("level", [0.0, 0.5, 0.8, 0.9, 0.95, 0.9999, 0.99995, 1.0])
@pytest.mark.parametrize("n", [6, 10, 45])
def test_drawn_bounds_are_those_that_counting_gives_to_the_last_bit(n: int, of: Center, level: float) -> None:
    generator = random.Random(n)
    values = [generator.gauss(0.9, 0.01) for _ in range(n)]
    interval = bootstrap(values, of, level)
    assert interval is not None
    assert (interval.low, interval.high) == counted(values, of, level)


def test_drawn_bounds_do_not_count_ten_thousand_resamples_one_by_one() -> None:
    """A page of 10,000 trials has a thousand such intervals."""
    values = [float(value) for value in range(6)]
    bootstrap(values)  # imports numpy and draws
    with cProfile.Profile() as profile:
        bootstrap(values)
    assert sum(entry.callcount for entry in profile.getstats()) < 1000


def test_pairs_are_made_by_seed() -> None:
    assert paired({1: 5.0, 2: 6.0, 4: 9.0}, {4: 1.0, 1: 2.0, 3: 0.0}) == {1: 3.0, 4: 8.0}


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="quantile"):
        t_quantile(1.0, 3)
    with pytest.raises(ValueError, match="I_x"):
        incomplete_beta(1, 1, 1.5)
