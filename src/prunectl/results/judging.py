"""From differences to an answer: when a claim over several cases is supported, refuted, or not settled.

A case is an arm against another at one sparsity; its differences are paired by seed and oriented so that more is
better. Everything here is a pure function of these numbers, so that a simulation can drive it (bench/verdicts.py).

Supporting is an intersection-union test: each case must be supported, so no correction is needed. Refuting takes one
case of K, so that uncorrected 36 independent cases at the margin would refute a true claim in 60 % of studies. Its
error, 2.5 %, is shared: half for the single cases together (Bonferroni), half for the mean over the cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prunectl.results.statistics import FEWEST, Interval, mean, t_interval, t_intervals, t_quantile

Answer = Literal["supported", "refuted", "not settled"]
Over = Literal["cases", "average"]

ROUNDING = 1e-9
"""Differences of accuracies carry rounding errors; a bound that is met to here is met."""

SUPPORTS = 0.95
"""The level at which each case supports a claim, and the average a claim about the average."""
AVERAGE_REFUTES = 0.975
"""The level at which the mean over several cases refutes a claim about each of them."""

RULE = (
    "Supported: in every case (an arm at a sparsity) the 95 % t-interval of the difference, paired by seed, lies at or "
    "above the margin. Refuted: that of a single case lies below it; of K cases, the interval of one at 1 − 0.025/K, "
    'or the 97.5 % interval of the mean over the cases. For over = "average" the mean alone counts, at 95 %.'
)
"""The rule, as reports print it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """The differences of one case by seed, and why it settles nothing, if that is known ('the same training')."""

    differences: Mapping[int, float]
    idle: str = ""
    whole: bool = True  # every pair of trials is done


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one case shows: its interval at 95 %, that at the level which refutes, and the answer of the case alone."""

    interval: Interval | None
    refuting: Interval | None
    answer: Answer
    idle: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The answer, what each case shows, and the interval of the mean over the cases (None if it has none)."""

    answer: Answer
    findings: tuple[Finding, ...]
    level: float  # at which a single case refutes
    average: Interval | None


def refuting_level(cases: int) -> float:
    """The level of the interval by which one of a number of cases refutes a claim."""
    return SUPPORTS if cases == 1 else 1 - 0.025 / cases


def judge(cases: Sequence[Case], margin: float, over: Over = "cases") -> Judgement:
    """The answer to whether the difference is at least the margin: in every case, or on average over the cases."""
    level = refuting_level(len(cases))
    findings = tuple(_finding(case, margin, level) for case in cases)
    several = len(cases) > 1
    by_mean = t_interval(_means(cases), SUPPORTS if over == "average" or not several else AVERAGE_REFUTES)
    if over == "average":
        able = all(case.whole and not case.idle for case in cases)
        answer: Answer = answered(by_mean, by_mean, margin) if able else "not settled"
    else:
        answer = _overall(findings, below(by_mean, margin) if several else False)
    return Judgement(answer=answer, findings=findings, level=level, average=by_mean if several else None)


def below(interval: Interval | None, margin: float) -> bool:
    """Whether an interval lies below the margin."""
    return interval is not None and interval.high < margin - ROUNDING


def answered(supporting: Interval | None, refuting: Interval | None, margin: float) -> Answer:
    """The answer of two intervals of the same numbers."""
    if supporting is not None and supporting.low >= margin - ROUNDING:
        return "supported"
    return "refuted" if below(refuting, margin) else "not settled"


def spreads_needed(seeds: int, cases: int) -> tuple[float, float]:
    """How far from the margin the mean of one case must lie, in standard deviations of its differences: below it to
    refute the claim alone, and at or above it to support. Raises ValueError for fewer than three seeds.
    """
    if seeds < FEWEST:
        raise ValueError(f"at least {FEWEST} seeds have an interval")
    refutes, supports = (t_quantile((1 + level) / 2, seeds - 1) for level in (refuting_level(cases), SUPPORTS))
    return refutes / seeds**0.5, supports / seeds**0.5


def _finding(case: Case, margin: float, level: float) -> Finding:
    differences = list(case.differences.values())
    interval, refuting = t_intervals(differences, SUPPORTS, level) or (None, None)
    idle = case.idle or ("" if case.whole else "trials are missing") or ("" if interval else _without(differences))
    answer: Answer = "not settled" if idle else answered(interval, refuting, margin)
    return Finding(interval=interval, refuting=refuting, answer=answer, idle=idle)


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


def _overall(findings: Sequence[Finding], average_refutes: bool) -> Answer:
    answers = [finding.answer for finding in findings]
    if average_refutes or "refuted" in answers:
        return "refuted"
    return "supported" if all(answer == "supported" for answer in answers) else "not settled"
