"""What a study was to settle, and whether it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import UNKNOWN, and_list, percent, plural, points
from prunectl.plan.graph import Placed
from prunectl.results import ablations
from prunectl.results.pairing import Pairs, groups, pair
from prunectl.results.statistics import Interval, mean, t_interval
from prunectl.results.wording import wording
from prunectl.study.claimed import SAME_SPARSITY
from prunectl.study.schema import Claim

Answer = Literal["supported", "refuted", "not settled"]

ROUNDING = 1e-9
"""Differences of accuracies carry rounding errors; a bound that is met to here is met."""


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One case, an arm against another at one sparsity: the difference better − than in top-1, paired by seed."""

    arm: str  # what the pairs share and what is compared, where the claim leaves a choice; else empty
    sparsity: float
    n: int  # seeds that both sides have
    difference: float | None  # the mean over the seeds
    interval: Interval | None
    answer: Answer
    artefacts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A claim with its answer, the reason in words and the trials behind it."""

    claim: Claim
    answer: Answer
    reason: str
    n: int  # the least number of seeds behind any detail
    details: tuple[Detail, ...]
    artefacts: tuple[str, ...]


def verdicts(claims: Sequence[Claim], trials: pl.DataFrame, arms: Mapping[str, Placed]) -> tuple[Verdict, ...]:
    """A verdict for each claim, from the trials that there are; `arms` are the study's, by label."""
    return tuple(verdict(claim, trials, arms) for claim in claims)


def verdict(claim: Claim, trials: pl.DataFrame, arms: Mapping[str, Placed]) -> Verdict:
    """Supported if the 95 % t-interval of the paired difference lies at or above the margin in every case; refuted if
    it lies below in one; else not settled. One seed never settles anything.

    A case is an arm that `better` selects against one that `than` selects, at a sparsity that the claim is about.
    Sparsity 0 is the baseline itself and is left out unless `at_sparsity` asks for it.
    """
    asked = _about(claim, trials)
    better, than = (selected(asked, arms, selector) for selector in (claim.better, claim.than))
    if better.is_empty() or than.is_empty():
        side = "better" if better.is_empty() else "than"
        return _unsettled(claim, f"no trial is what {side!r} selects")
    pairs = pairs_of(claim, better, than)
    if pairs.frame.is_empty():
        return _unsettled(claim, "no two trials differ in only what the claim is about")
    shared = [name for name in pairs.on if pairs.frame[name].n_unique() > 1]
    crossed = [*pairs.crossed, *(f"{name}_other" for name in pairs.crossed)]
    details = tuple(
        _detail(claim, _case(cell.row(0, named=True), shared, pairs.crossed), cell)
        for _, cell in groups(pairs.frame, [*shared, *crossed, "sparsity"])
    )
    answer = _overall([detail.answer for detail in details])
    also = [
        f"{name} is {words(ones or UNKNOWN)} for the one and {words(others or UNKNOWN)} for the other"
        for name, (ones, others) in pairs.differs.items()
        if name not in compared(claim)
    ]
    return Verdict(
        claim=claim,
        answer=answer,
        reason=". ".join([_reason(claim, answer, details), *([f"Mind that {and_list(also)}"] if also else [])]),
        n=min(detail.n for detail in details),
        details=details,
        artefacts=tuple(dict.fromkeys(key for detail in details for key in detail.artefacts)),
    )


def compared(claim: Claim) -> set[str]:
    """The columns that a claim compares: those in which its two sides ask for different things."""
    return {name for name in claim.better if name in claim.than and claim.better[name] != claim.than[name]}


def pairs_of(claim: Claim, better: pl.DataFrame, than: pl.DataFrame) -> Pairs:
    """Pairs of different arms. In a column that only one side asks for, the two agree, if they can."""
    asked_once = set(claim.better).symmetric_difference(claim.than)
    for ignored in (compared(claim), compared(claim) | asked_once):
        pairs = pair(better, than, ignore=ignored)
        pairs = replace(pairs, frame=pairs.frame.filter(pl.col("arm") != pl.col("arm_other")))
        if not pairs.frame.is_empty():
            break
    return pairs


def selected(trials: pl.DataFrame, arms: Mapping[str, Placed], selector: Mapping[str, Any]) -> pl.DataFrame:
    """The rows of the arms that a selector means."""
    return trials.filter(pl.col("arm").is_in([label for label, placed in arms.items() if placed.arm.matches(selector)]))


def _about(claim: Claim, trials: pl.DataFrame) -> pl.DataFrame:
    """The trials at the sparsities that a claim is about."""
    if claim.at_sparsity is None:
        return trials.filter(pl.col("sparsity") > 0)
    near = [(pl.col("sparsity") - value).abs() <= SAME_SPARSITY for value in claim.at_sparsity]
    return trials.filter(pl.any_horizontal(near))


def _unsettled(claim: Claim, reason: str) -> Verdict:
    return Verdict(claim=claim, answer="not settled", reason=reason, n=0, details=(), artefacts=())


def _case(row: Mapping[str, Any], shared: Sequence[str], crossed: Sequence[str]) -> str:
    """What the pairs of a case share, and the two arms that are compared: 'erk · weight-rewind against finetune'."""
    sides = [" · ".join(_spoken(name, row[f"{name}{side}"]) for name in crossed) for side in ("", "_other")]
    against = [" against ".join(sides)] if crossed else []
    return " · ".join([*(_spoken(name, row[name]) for name in shared), *against])


def _spoken(name: str, cell: str | None) -> str:
    if name == "ablation" and cell == "none":
        return ablations.verb(cell)
    return wording(name, UNKNOWN if cell is None else cell)


def _detail(claim: Claim, arm: str, cell: pl.DataFrame) -> Detail:
    assert cell["seed"].is_unique().all(), f"{arm}: a case has each seed once"
    ones, others = claim.metric.name, f"{claim.metric.name}_other"
    both = cell.filter(pl.col(ones).is_not_null() & pl.col(others).is_not_null())
    sign = 1 if claim.metric.better == "high" else -1
    differences = (sign * (both[ones] - both[others])).to_list()
    interval = t_interval(differences)
    keys = [key for name in ("artefact", "artefact_other") for key in cell[name].to_list() if key]
    return Detail(
        arm=arm,
        sparsity=cell["sparsity"][0],
        n=len(differences),
        difference=mean(differences) if differences else None,
        interval=interval,
        # A pair that failed leaves a hole that the others do not speak for.
        answer="not settled" if len(both) < len(cell) else _answer(interval, claim.margin),
        artefacts=tuple(dict.fromkeys(keys)),
    )


def _answer(interval: Interval | None, margin: float) -> Answer:
    if interval is None:
        return "not settled"
    if interval.low >= margin - ROUNDING:
        return "supported"
    return "refuted" if interval.high < margin - ROUNDING else "not settled"


def _overall(answers: Sequence[Answer]) -> Answer:
    if "refuted" in answers:
        return "refuted"
    return "supported" if all(answer == "supported" for answer in answers) else "not settled"


def _reason(claim: Claim, answer: Answer, details: Sequence[Detail]) -> str:
    needed = f"at least {points(claim.margin, sign=True)}"
    deciding = [detail for detail in details if detail.answer == answer]
    cases = f"in {len(deciding)} of {len(details)} cases" if len(details) > 1 else ""
    if answer == "supported":
        worst = min(deciding, key=lambda detail: detail.interval.low if detail.interval else 0)
        every = f"in all {len(details)} cases, most narrowly " if cases else ""
        return f"The difference is {needed} {every}{phrase(worst)}"
    if answer == "refuted":
        worst = min(deciding, key=lambda detail: detail.interval.high if detail.interval else 0)
        return f"The difference is not {needed} {f'{cases}, most clearly ' if cases else ''}{phrase(worst)}"
    if max(detail.n for detail in details) < 2:
        return "One seed settles nothing: give the study more seeds"
    widest = max(deciding, key=lambda detail: detail.interval.high - detail.interval.low if detail.interval else 0)
    return (
        f"Whether the difference is {needed} stays open {f'{cases} ' if cases else ''}(the interval holds the margin, "
        f"two seeds have no spread, or trials are missing), {'most widely ' if cases else ''}{phrase(widest)}"
    )


def phrase(detail: Detail) -> str:
    """A detail in words: where, the mean difference, its interval and the seeds."""
    where = f"at {percent(detail.sparsity)} sparsity" + (f" ({detail.arm})" if detail.arm else "")
    if detail.difference is None:
        return f"{where}: no pair of trials is done"
    text = f"{where}: {points(detail.difference, sign=True)}"
    if detail.interval is None:
        return f"{text}, {'one seed' if detail.n == 1 else f'the same with both of {detail.n} seeds'}"
    low, high = (points(bound, sign=True, unit=False) for bound in (detail.interval.low, detail.interval.high))
    return f"{text} ({detail.interval.kind} {low} to {high}, {plural(detail.n, 'seed')})"
