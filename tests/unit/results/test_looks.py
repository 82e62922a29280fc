"""Claims judged look by look: levels by hand, which look counts, which arms get more seeds, and the errors."""

from __future__ import annotations

import pytest

from prunectl.catalog.seeds import Look, UntilSettled
from prunectl.results.verdict_rule import (
    Case,
    at_looks,
    average_refuting_level,
    judge,
    more_seeds_can_settle,
    refuting_level,
    rule,
    spreads_needed,
    supporting_level,
)
from simulated import in_turn, upper_bound
from unit.results.claiming import both, judged

LOOKS = UntilSettled(until="settled").looks
STUDIES = 2000


def test_levels_scale_with_the_share_of_a_look() -> None:
    """Of 0.5 %: 99.5 % supports, one of 7 cases refutes at 1 − 0.0025/7, their mean at 99.75 %."""
    assert (supporting_level(0.005), average_refuting_level(0.005)) == (0.995, 0.9975)
    assert refuting_level(1, 0.005) == 0.995
    assert refuting_level(7, 0.005) == pytest.approx(1 - 0.0025 / 7, abs=1e-15)


@pytest.mark.parametrize(("seeds", "quantile"), [(3, 14.0890), (4, 7.4533), (6, 4.4033), (8, 3.6666), (12, 2.5931)])
def test_the_distance_that_settles_is_a_quantile_of_t(seeds: int, quantile: float) -> None:
    """t(1 − α/2, n − 1)/√n: with 2 degrees of freedom 0.995·√(2/(1 − 0.995²)), else by integrating the density."""
    look = next(look for look in LOOKS if look.seeds == seeds)
    assert spreads_needed(seeds, 1, look.alpha)[1] * seeds**0.5 == pytest.approx(quantile, abs=2e-3)


def test_the_first_look_that_settles_counts_whatever_follows() -> None:
    """Four seeds settle what the next ones would leave open."""
    values = [1.0, 1.1, 0.6, 1.2, 9.0, -9.0]
    asked: list[int] = []

    def cases_at(look: Look) -> list[Case] | None:
        asked.append(look.seeds)
        return [Case(differences=dict(enumerate(values[: look.seeds])))] if look.seeds <= len(values) else None

    settled = at_looks(LOOKS, cases_at, 0.0)
    assert settled is not None
    assert (settled[0].seeds, settled[1].answer, asked) == (6, "not settled", [3, 4, 6, 8])
    near = at_looks(LOOKS, cases_at, -1.0)
    assert near is not None and (near[0].seeds, near[1].answer) == (4, "supported")
    assert judge([Case(differences=dict(enumerate(values)))], -1.0).answer == "not settled"
    assert at_looks(LOOKS, lambda look: None, 0.0) is None


def test_cases_that_settle_nothing_get_no_more_seeds() -> None:
    able, idle = Case(differences={}), Case(differences={}, idle="the same training")
    gap = Case(differences={}, whole=False)
    assert [more_seeds_can_settle(cases) for cases in ([able], [idle], [gap], [able, idle], [])] == [
        True, False, False, True, False,
    ]  # fmt: skip
    assert not more_seeds_can_settle([able, gap], "average")


def test_a_verdict_shows_its_look_its_level_and_what_may_follow() -> None:
    wide = both([0.8, 0.8, 0.8], [0.81, 0.82, 0.83])
    found = judged(wide, looks=LOOKS)
    assert found.look is not None and found.further is not None
    assert (found.answer, found.look.seeds, found.further.seeds, found.supports) == ("not settled", 3, 4, 0.995)
    assert "Open at look 1 of 5, after 3 seeds: the next look is after 4" in found.reason
    assert found.details[0].interval is not None and found.details[0].interval.kind.startswith("99.5 %")
    assert len(found.arms) == 2
    close = judged(both([0.8] * 4, [0.901, 0.9, 0.902, 0.3]), looks=LOOKS)
    assert close.look is not None
    assert (close.answer, close.look.seeds, close.further, close.n) == ("supported", 3, None, 3)
    assert "Settled at look 1 of 5, after 3 seeds" in close.reason
    plain = close.to_dict()
    assert (plain["look"], plain["next_look"], plain["supporting_level"]) == (3, None, 0.995)


def test_a_look_with_a_missing_trial_is_not_taken() -> None:
    trials = both([0.8] * 3, [0.901, 0.9, None])
    trials[-1][1]["status"] = "missing"
    found = judged(trials, looks=LOOKS)
    assert (found.answer, found.look, found.further) == ("not settled", None, None)
    assert "The first look, after 3 seeds, has not been taken" in found.reason
    trials[-1][1]["status"] = "failed"
    failed = judged(trials, looks=LOOKS)
    assert failed.look is not None and failed.further is None
    assert "more seeds cannot settle it" in failed.reason
    only_some = judged([row for row in both([0.8] * 4, [0.901, 0.9, 0.902, 0.9]) if row[1]["seed"] != 2], looks=LOOKS)
    assert (only_some.answer, only_some.look) == ("not settled", None), "a part of the seeds is no look"


def test_the_rule_lists_the_looks_and_their_levels() -> None:
    assert "after 3, 4, 6, 8 and 12 seeds, at 99.5 %, 99.5 %, 99.3 %, 99.2 % and 97.5 %" in rule(LOOKS)
    assert rule() in rule(LOOKS)


@pytest.mark.parametrize(("truth", "wrong"), [(0.0, "refuted"), (-1e-6, "supported")])
def test_all_looks_together_err_in_at_most_2_5_percent_of_studies(truth: float, wrong: str) -> None:
    """The truth at the margin, and just below it. With more studies and settings: bench/verdicts.py looks."""
    answers, _ = in_turn(LOOKS, truth, STUDIES)
    count = next((number for answer, number in answers.items() if answer == wrong), 0)
    assert count <= 0.025 * STUDIES
    assert upper_bound(count, STUDIES) <= 0.035


def test_most_claims_are_settled_one_standard_deviation_from_the_margin() -> None:
    answers, seeds = in_turn(LOOKS, 1.0, STUDIES)
    assert answers["supported"] / STUDIES == pytest.approx(0.80, abs=0.03)
    assert seeds == pytest.approx(10.2, abs=0.2)


def test_an_arm_that_the_study_calls_dense_gets_more_seeds_too() -> None:
    """Only what `than = "dense"` names is no arm: a label is a text of the study's own."""
    trials = both([0.9, 0.91, 0.92], [0.9, 0.92, 0.9], label="dense")
    found = judged(trials, looks=LOOKS)
    assert found.further is not None and found.arms == ("dense · shuffle", "dense")
    assert judged(trials, better={"ablation": "none"}, than="dense").arms == ("dense",)
