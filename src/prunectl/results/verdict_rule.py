"""From differences to an answer: when a claim over several cases is supported, refuted, or not settled.

A case is an arm against another at one sparsity; its differences are paired by seed and oriented so that more is
better. Everything here is a pure function of these numbers, so that a simulation can drive it (bench/verdicts.py).

Supporting is an intersection-union test: each case must be supported, so no correction is needed. Refuting takes one
case of K, so that uncorrected 36 independent cases at the margin would refute a true claim in 60 % of studies. Its
error, 2.5 %, is shared: half for the single cases together (Bonferroni), half for the mean over the cases.

Where seeds are added until claims are settled, each look takes a part of the error (catalog/seeds.py). All levels
follow from that part as they do from 5 %, and the parts add up to 5 %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prunectl.base.text import and_list, percent
from prunectl.catalog.seeds import ALPHA, Look
from prunectl.results.statistics import FEWEST, Interval, mean, t_interval, t_intervals, t_quantile

Answer = Literal["supported", "refuted", "not settled"]
Outcome = Answer | Literal["not asked"]
"""What a report shows of a claim: its answer, or that the part of the study that was selected has no trial for it."""
Over = Literal["cases", "average"]

ROUNDING = 1e-9
"""Differences of accuracies carry rounding errors; a bound that is met to here is met."""

RULE = (
    "Supported: in every case (an arm at a sparsity) the 95 % t-interval of the difference, paired by seed, lies at or "
    "above the margin. Refuted: that of a single case lies below it; of K cases, the interval of one at 1 − 0.025/K, "
    'or the 97.5 % interval of the mean over the cases. For over = "average" the mean alone counts, at 95 %.'
)
"""The rule, as reports print it."""


def rule(looks: Sequence[Look] = ()) -> str:
    """The rule, and what looks change of it."""
    if not looks:
        return RULE
    seeds, levels = ([str(look.seeds) for look in looks], [percent(1 - look.alpha) for look in looks])
    return (
        f"{RULE} Seeds are added until the claims are settled: claims are judged after {and_list(seeds)} seeds, at "
        f"{and_list(levels)} in place of 95 % and with the other levels likewise, so that all looks together err as "
        "seldom as one. The first look that settles a claim counts."
    )


def supporting_level(alpha: float = ALPHA) -> float:
    """The level at which each case supports a claim, and the average a claim about the average: usually 95 %."""
    return 1 - alpha


def average_refuting_level(alpha: float = ALPHA) -> float:
    """The level at which the mean over several cases refutes a claim about each of them: usually 97.5 %."""
    return 1 - alpha / 2


MISSING = "trials are missing"
"""Why a case settles nothing that has trials which are not done: a study would be judged on the way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """The differences of one case by seed, and why it settles nothing, if that is known ('the same training')."""

    differences: Mapping[int, float]
    idle: str = ""
    whole: bool = True  # every pair of trials is done


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseFinding:
    """What one case shows: its intervals at the levels that support and refute, and the answer of the case alone."""

    interval: Interval | None
    refuting: Interval | None
    answer: Answer
    idle: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """The answer, what each case shows, and the interval of the mean over the cases (None if it has none)."""

    answer: Answer
    findings: tuple[CaseFinding, ...]
    level: float  # at which a single case refutes
    average: Interval | None


def refuting_level(cases: int, alpha: float = ALPHA) -> float:
    """The level of the interval by which one of a number of cases refutes a claim."""
    return supporting_level(alpha) if cases == 1 else 1 - alpha / 2 / cases


def judge(cases: Sequence[Case], margin: float, over: Over = "cases", alpha: float = ALPHA) -> Ruling:
    """The answer to whether the difference is at least the margin: in every case, or on average over the cases.

    `alpha` is the two-sided error that the answer may take.
    """
    supports, level = supporting_level(alpha), refuting_level(len(cases), alpha)
    findings = tuple(_finding(case, margin, supports, level) for case in cases)
    several = len(cases) > 1
    by_mean = t_interval(_means(cases), supports if over == "average" or not several else average_refuting_level(alpha))
    if over == "average":
        able = all(case.whole and not case.idle for case in cases)
        answer: Answer = answered(by_mean, by_mean, margin) if able else "not settled"
    else:
        answer = _overall(findings, below(by_mean, margin) if several else False)
    return Ruling(answer=answer, findings=findings, level=level, average=by_mean if several else None)


def at_looks(
    looks: Sequence[Look], cases_at: Callable[[Look], Sequence[Case] | None], margin: float, over: Over = "cases"
) -> tuple[Look, Ruling] | None:
    """The first look that settles a claim, else the last that can be taken, with its ruling; None if none can be.

    `cases_at` gives the cases with the seeds of a look and no others, or None while trials of the look are missing.
    """
    latest: tuple[Look, Ruling] | None = None
    for look in looks:
        if (cases := cases_at(look)) is None:
            break
        latest = look, judge(cases, margin, over, look.alpha)
        if latest[1].answer != "not settled":
            break
    return latest


def more_seeds_can_settle(cases: Sequence[Case], over: Over = "cases") -> bool:
    """Whether a claim that is open may be settled by more seeds: not by those of cases that settle nothing."""
    able = [case.whole and not case.idle for case in cases]
    return bool(able) and (all(able) if over == "average" else any(able))


def below(interval: Interval | None, margin: float) -> bool:
    """Whether an interval lies below the margin."""
    return interval is not None and interval.high < margin - ROUNDING


def answered(supporting: Interval | None, refuting: Interval | None, margin: float) -> Answer:
    """The answer of two intervals of the same numbers."""
    if supporting is not None and supporting.low >= margin - ROUNDING:
        return "supported"
    return "refuted" if below(refuting, margin) else "not settled"


def spreads_needed(seeds: int, cases: int, alpha: float = ALPHA) -> tuple[float, float]:
    """How far from the margin the mean of one case must lie, in standard deviations of its differences: below it to
    refute the claim alone, and at or above it to support. Raises ValueError for fewer than three seeds.
    """
    if seeds < FEWEST:
        raise ValueError(f"at least {FEWEST} seeds have an interval")
    levels = refuting_level(cases, alpha), supporting_level(alpha)
    refutes, supports = (t_quantile((1 + level) / 2, seeds - 1) for level in levels)
    return refutes / seeds**0.5, supports / seeds**0.5


def _finding(case: Case, margin: float, supports: float, level: float) -> CaseFinding:
    differences = list(case.differences.values())
    interval, refuting = t_intervals(differences, supports, level) or (None, None)
    idle = case.idle or ("" if case.whole else MISSING) or ("" if interval else _without(differences))
    answer: Answer = "not settled" if idle else answered(interval, refuting, margin)
    return CaseFinding(interval=interval, refuting=refuting, answer=answer, idle=idle)


def _without(differences: Sequence[float]) -> str:
    """Why differences have no interval."""
    if len(differences) >= FEWEST:
        return "no spread: the difference is the same with every seed"
    return {0: "no pair of trials is done", 1: "one seed"}.get(len(differences), f"{len(differences)} seeds")


def _means(cases: Sequence[Case]) -> list[float]:
    """Per seed the mean of the differences over the cases that can settle something; of the seeds that all have.

    A case in which trials are missing cannot: a study would be judged at each of its seeds on the way.
    """
    able = [case.differences for case in cases if case.whole and not case.idle]
    shared = [seed for seed in (able[0] if able else ()) if all(seed in differences for differences in able)]
    return [mean([differences[seed] for differences in able]) for seed in shared]


def _overall(findings: Sequence[CaseFinding], average_refutes: bool) -> Answer:
    answers = [finding.answer for finding in findings]
    if average_refutes or "refuted" in answers:
        return "refuted"
    return "supported" if all(answer == "supported" for answer in answers) else "not settled"
