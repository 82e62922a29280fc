"""What a study was to settle, and whether it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from prunectl.catalog.metric import Metric
from prunectl.catalog.seeds import ALPHA, Look
from prunectl.plan.graph import Placed
from prunectl.results import reasons
from prunectl.results.cases import Cases, PairedCase, cases_of
from prunectl.results.chance import all_guess, at_chance
from prunectl.results.matched import of_seeds
from prunectl.results.reasons import Detail
from prunectl.results.sides import Sides, difference_of, sides_of
from prunectl.results.statistics import Interval, mean
from prunectl.results.table import METRICS, Results, Task
from prunectl.results.verdict_rule import (
    Case,
    CaseFinding,
    Outcome,
    Ruling,
    at_looks,
    judge,
    more_seeds_can_settle,
    supporting_level,
)
from prunectl.study.schema import Claim

SUFFIXES = ("", "_other")
"""The suffixes of the columns of the two arms of a pair."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A claim with its answer, the reason in words and the trials behind it."""

    claim: Claim
    answer: Outcome
    reason: str
    n: int  # the least number of seeds behind any detail
    supports: float  # the level of the interval by which each case supports the claim
    level: float  # of the interval by which a single case refutes the claim
    average: Interval | None  # of the mean over the cases, where there are several
    details: tuple[Detail, ...]  # one for each case
    artefacts: tuple[str, ...]
    look: Look | None = None  # where seeds are added: the one that the verdict is of, None before the first
    further: Look | None = None  # the look that may settle a claim that is open
    arms: tuple[str, ...] = ()  # the labels of the arms of the cases

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `--json`. Differences and the margin are in the unit of the metric."""
        claim = self.claim
        return {
            "text": claim.text,
            "metric": claim.metric.name,
            "unit": claim.metric.unit,
            "margin": claim.margin,
            "over": claim.over,
            "answer": self.answer,
            "reason": self.reason,
            "seeds": self.n,
            "cases": len(self.details),
            "supporting_level": self.supports,
            "refuting_level": self.level,
            "look": self.look.seeds if self.look else None,
            "next_look": self.further.seeds if self.further else None,
            "average": asdict(self.average) if self.average else None,
            "details": [asdict(detail) for detail in self.details],
        }


def verdicts(results: Results) -> tuple[Verdict, ...]:
    """A verdict for each claim of the study, from the trials that are done.

    A claim that the selected part of the study has no trials for is not asked, rather than not settled.
    """
    study = results.study
    looks, margin = study.sweep.looks, study.report.matching_margin
    judged = (verdict(claim, results.trials, results.arms, results.task, looks, margin) for claim in study.claim)
    part = bool(results.selection.only)
    return tuple(_not_asked(each) if part and not each.details else each for each in judged)


def _not_asked(judged: Verdict) -> Verdict:
    return replace(judged, answer="not asked", reason=f"The selection leaves no trials for it ({judged.reason})")


def verdict(
    claim: Claim,
    trials: pl.DataFrame,
    arms: Mapping[str, Placed],
    task: Task,
    looks: Sequence[Look] = (),
    matching_margin: float = 0.01,
) -> Verdict:
    """The verdict on one claim, by the rule in `verdict_rule.py`: with looks, that of the first that settles it.

    The margin is for claims about matching sparsities.
    """
    if claim.metric.swept:
        trials = trials.join(of_seeds(trials, matching_margin), on=["arm", "seed"], how="left", maintain_order="left")
    judged = _at_looks(claim, trials, arms, task, looks) if looks else _at_once(claim, trials, arms, task)
    sides = sides_of(claim, (compared.pairs for compared in judged.cases.compared), arms)
    return _verdict(claim, judged, sides, task, looks)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Judged:
    """The cases of a claim in words and in numbers, and what follows from the numbers, if there are any."""

    cases: Cases
    numbers: Sequence[Case]
    ruling: Ruling | None
    at: Look | None = None  # the look that the ruling is of, None before the first
    further: Look | None = None  # the look that may settle what this one leaves open


def _at_once(claim: Claim, trials: pl.DataFrame, arms: Mapping[str, Placed], task: Task) -> _Judged:
    """The claim judged by all the seeds that the table has."""
    cases = cases_of(claim, trials, arms)
    numbers = [_case(claim, each, task) for each in cases.compared]
    return _Judged(cases=cases, numbers=numbers, ruling=judge(numbers, claim.margin, claim.over) if numbers else None)


def _at_looks(
    claim: Claim, trials: pl.DataFrame, arms: Mapping[str, Placed], task: Task, looks: Sequence[Look]
) -> _Judged:
    """The claim judged at the first look that settles it, else at the last that can be taken."""
    seen: dict[Look, tuple[Cases, list[Case]]] = {}

    def cases_at(look: Look) -> list[Case] | None:
        cases = cases_of(claim, trials.filter(pl.col("seed") <= look.seeds), arms)
        seen[look] = cases, [_case(claim, each, task, look.seeds) for each in cases.compared]
        return seen[look][1] if cases.compared and all(_taken(each, look) for each in cases.compared) else None

    at, ruling = at_looks(looks, cases_at, claim.margin, claim.over) or (None, None)
    cases, numbers = seen[at or looks[0]]
    if ruling is None and numbers:  # trials of the first look are missing: those that are done, at its level
        ruling = judge(numbers, claim.margin, claim.over, looks[0].alpha)
    later = None if at is None else next((look for look in looks if look.seeds > at.seeds), None)
    opens = ruling is not None and ruling.answer == "not settled"
    further = later if opens and more_seeds_can_settle(numbers, claim.over) else None
    return _Judged(cases=cases, numbers=numbers, ruling=ruling, at=at, further=further)


def _taken(compared: PairedCase, look: Look) -> bool:
    """Whether every seed of a look has a pair of trials that are done or have failed."""
    statuses = {*compared.pairs["status"], *compared.pairs["status_other"]}
    return compared.pairs.height == look.seeds and "missing" not in statuses


def _verdict(claim: Claim, judged: _Judged, sides: Sides, task: Task, looks: Sequence[Look]) -> Verdict:
    cases, ruling = judged.cases, judged.ruling
    alpha = (judged.at or looks[0]).alpha if looks else ALPHA
    supports = supporting_level(alpha)
    if ruling is None:
        return Verdict(
            claim=claim, answer="not settled", reason=cases.none, n=0, supports=supports, level=supports, average=None,
            details=(), artefacts=(),
        )  # fmt: skip
    details = tuple(
        replace(_detail(*case), **_guessers(claim, case[0].pairs, sides, task))
        for case in zip(cases.compared, judged.numbers, ruling.findings, strict=True)
    )
    looked = reasons.at_look(ruling.answer, looks, judged.at, judged.further) if looks else ""
    return Verdict(
        claim=claim,
        answer=ruling.answer,
        reason=reasons.reason(claim, difference_of(claim, sides), ruling, details, cases.also, looked),
        n=min(detail.n for detail in details),
        supports=supports,
        level=ruling.level,
        average=ruling.average,
        details=details,
        artefacts=tuple(dict.fromkeys(key for detail in details for key in detail.artefacts)),
        look=judged.at,
        further=judged.further,
        arms=_compared_arms(claim, cases),
    )


def _compared_arms(claim: Claim, cases: Cases) -> tuple[str, ...]:
    """The labels of the arms of the cases; a dense network that they are compared with is no arm."""
    sides = ("arm",) if isinstance(claim.than, str) else ("arm", "arm_other")
    columns = [compared.pairs[name].to_list() for compared in cases.compared for name in sides]
    return tuple(dict.fromkeys(label for column in columns for label in column))


def _case(claim: Claim, compared: PairedCase, task: Task, seeds: int | None = None) -> Case:
    """The differences of a case, which is whole with `seeds` pairs: by default those that there are.

    A pair that failed leaves a gap that the others do not close.
    """
    metric, pairs = claim.metric, compared.pairs
    ones, others = (f"{metric.name}{side}" for side in SUFFIXES)
    both = pairs.filter(pl.col(ones).is_not_null() & pl.col(others).is_not_null())
    values = zip(both["seed"].to_list(), both[ones].to_list(), both[others].to_list(), strict=True)
    idle = ""
    if _same_training(pairs):
        idle = reasons.SAME
    elif both.height and at_chance(both, _judged_at(metric), type(metric), task):
        idle = reasons.guessing(type(metric), task)
    return Case(
        differences={seed: metric.gain(one, other) for seed, one, other in values},
        idle=idle,
        whole=both.height == (pairs.height if seeds is None else seeds),
    )


def _judged_at(metric: Metric) -> tuple[str, ...]:
    """The suffixes of the networks that must not guess: of a sweep its dense ones, because its sparsest may."""
    return tuple(f"_dense{side}" for side in SUFFIXES) if metric.swept else SUFFIXES


def _same_training(pairs: pl.DataFrame) -> bool:
    """Whether a pair is one network. Several masks may be put on one dense network without training, so that equal
    artefacts are the same network only where everything that was measured is equal.
    """
    equal = [pl.col(name).eq_missing(pl.col(f"{name}_other")) for name in (metric.name for metric in METRICS)]
    return not pairs.filter(
        pl.col("artefact") == pl.col("artefact_other"), pl.col("top1").is_not_null(), *equal
    ).is_empty()


def _detail(compared: PairedCase, case: Case, finding: CaseFinding) -> Detail:
    differences = list(case.differences.values())
    keys = _artefacts(compared.pairs)
    return Detail(
        arm=compared.name,
        sparsity=compared.sparsity,
        n=len(differences),
        difference=mean(differences) if differences else None,
        interval=finding.interval,
        refuting=finding.refuting,
        answer=finding.answer,
        idle=finding.idle,
        artefacts=tuple(dict.fromkeys(keys)),
        differences=tuple(differences),
    )


def _guessers(claim: Claim, pairs: pl.DataFrame, sides: Sides, task: Task) -> dict[str, Any]:
    """Which sides of a case are at chance, and the name of the one that is while the other is not."""
    columns = [f"{'top1' if claim.metric.swept else claim.metric.name}{side}" for side in _judged_at(claim.metric)]
    both = pairs.filter(pl.col(name).is_not_null() for name in columns)
    better, than = (bool(all_guess(both, task, name)) for name in columns)
    of = "the dense network of " if claim.metric.swept else ""
    guesser = "" if better == than else f"{of}{sides[0] if better else sides[1]}"
    return {"better_at_chance": better, "than_at_chance": than, "guessing": guesser}


def _artefacts(pairs: pl.DataFrame) -> list[str]:
    """The networks behind pairs: one each, or those of the whole sweep."""
    if "artefacts" in pairs.columns:
        lists = [each for name in ("artefacts", "artefacts_other") for each in pairs[name].drop_nulls().to_list()]
        return [key for each in lists for key in each]
    return [key for name in ("artefact", "artefact_other") for key in pairs[name].to_list() if key]
