"""The rule of verdicts on numbers alone, and how often it is wrong."""

from __future__ import annotations

import pytest

from prunectl.results.statistics import t_interval
from prunectl.results.verdict_rule import Case, judge, refuting_level, spreads_needed
from simulated import upper_bound, wrong

MOST = 0.035
STUDIES = 2000


def case(*differences: float, **more: object) -> Case:
    return Case(differences=dict(enumerate(differences, 1)), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seeds", "cases", "refutes", "supports"),
    [(3, 36, 22, 2.5), (5, 36, 4.2, 1.2), (3, 14, 13.6, 2.5), (3, 1, 2.5, 2.5), (5, 1, 1.24, 1.24)],
)
def test_how_far_from_the_margin_one_case_must_lie(seeds: int, cases: int, refutes: float, supports: float) -> None:
    """t(1 − 0.0125/36, 2)/√3 = 21.9 and t(1 − 0.0125/36, 4)/√5 = 4.2."""
    assert spreads_needed(seeds, cases) == pytest.approx((refutes, supports), rel=0.04)


def test_fewer_than_three_seeds_reach_nothing() -> None:
    with pytest.raises(ValueError, match="at least 3"):
        spreads_needed(2, 1)


def test_a_single_case_is_judged_at_95_percent_on_both_sides() -> None:
    assert (refuting_level(1), refuting_level(2), refuting_level(36)) == (0.95, 0.9875, 1 - 0.025 / 36)
    low = judge([case(-0.03, -0.02, -0.01)], 0.005)
    assert low.findings[0].interval == low.findings[0].refuting == t_interval([-0.03, -0.02, -0.01])
    assert (low.answer, low.average) == ("refuted", None)


def test_the_differences_that_are_needed_are_exactly_those_that_settle() -> None:
    """A case of standard deviation 1, just beyond and just short of what `spreads_needed` gives."""
    refutes, supports = spreads_needed(3, 2)
    far = case(99.0, 100.0, 101.0)

    def answer(centre: float) -> str:
        return judge([case(centre - 1, centre, centre + 1), far], 0.0).answer

    assert [answer(-refutes * factor) for factor in (1.001, 0.999)] == ["refuted", "not settled"]
    assert [answer(supports * factor) for factor in (1.001, 0.999)] == ["supported", "not settled"]


def test_a_bound_that_is_met_but_for_rounding_is_met() -> None:
    interval = t_interval([0.01, 0.02, 0.03])
    assert interval is not None
    assert judge([case(0.01, 0.02, 0.03)], interval.low + 1e-12).answer == "supported"
    assert judge([case(0.01, 0.02, 0.03)], interval.high + 1e-12).answer == "not settled"


def test_gaps_and_idle_cases_are_not_judged() -> None:
    gap, idle = case(0.1, 0.2, 0.3, whole=False), case(0.1, 0.2, 0.3, idle="the same training")
    assert [judge([each], -1.0).answer for each in (gap, idle)] == ["not settled"] * 2
    assert [judge([each], -1.0).findings[0].idle for each in (gap, idle)] == ["trials are missing", "the same training"]


def test_cases_with_missing_trials_refute_nothing_together() -> None:
    """Three of five seeds are done: the mean over the cases would be judged at every seed on the way."""
    gaps = [case(-0.7, -0.71, -0.72, whole=False)] * 3
    assert (judge(gaps, 0.0).answer, judge(gaps, 0.0).average) == ("not settled", None)
    assert judge([*gaps, case(-0.7, -0.71, -0.72)], 0.0).answer == "refuted", "by the case that is whole"


def test_an_idle_case_is_no_part_of_the_mean() -> None:
    both = judge([case(0.1, 0.2, 0.3), case(9.0, 9.0, 9.0, idle="the same training")], 0.0)
    assert both.average == t_interval([0.1, 0.2, 0.3], 0.975)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("refuted, every case at the margin", [(14, 3, 0.0), (14, 5, 0.9), (36, 3, 0.9), (36, 5, 0.0)]),
        ("supported, every case at the margin", [(14, 3, 0.9)]),
        ("supported, one at it, others far above", [(14, 3, 0.0), (36, 5, 0.9)]),
        ("average at the margin, refuted", [(14, 3, 0.9), (14, 5, 0.0)]),
        ("average at the margin, supported", [(14, 3, 0.9), (14, 5, 0.0)]),
    ],
)
def test_a_verdict_is_wrong_in_at_most_3_5_percent_of_studies(
    name: str, settings: list[tuple[int, int, float]]
) -> None:
    """Cases, seeds and correlation, 2,000 studies each: the 95 % upper bound of them together, and none alone is above
    2.5 % by more than chance. All settings, with more studies: bench/verdicts.py.
    """
    counts = [wrong(name, STUDIES, cases=k, seeds=n, correlation=rho) for k, n, rho in settings]
    assert upper_bound(sum(counts), len(counts) * STUDIES) <= MOST
    assert max(counts) <= 0.025 * STUDIES + 3 * (0.025 * STUDIES) ** 0.5


def test_without_the_correction_a_true_claim_would_be_refuted_in_half_of_studies() -> None:
    """What the rule was: refuted if the 95 % interval of any of 36 independent cases lies below the margin."""
    import numpy as np

    draws = np.random.default_rng(1).standard_normal((300, 36, 5)).tolist()
    low = sum(any((t := t_interval(case)) is not None and t.high < 0 for case in study) for study in draws)
    assert low > 150
