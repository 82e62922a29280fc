"""What a claim can show, known before anything runs: its cases, its seeds, and the differences that would settle it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from prunectl.catalog.seeds import Look
from prunectl.plan.graph import Plan
from prunectl.results.cases import PairedCase, cases_of
from prunectl.results.statistics import FEWEST
from prunectl.results.verdict_rule import Over, spreads_needed
from prunectl.study.arms import CHOICES
from prunectl.study.schema import Claim, Study

SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("arm", *CHOICES), pl.String), "sparsity": pl.Float64, "seed": pl.Int64,
}  # fmt: skip
"""The columns of a table of trials that pairs are made by."""


@dataclass(frozen=True, kw_only=True)
class AtLook:
    """What a claim can show with the seeds of a look. Distances as in `Foresight`."""

    seeds: int
    refutes_sd: float
    supports_sd: float


@dataclass(frozen=True, kw_only=True)
class Foresight:
    """What a claim can show. Distances are in standard deviations of the differences, paired by seed, of one case."""

    text: str
    over: Over
    seeds: int
    """The least number of seeds of a case."""
    cases: int
    refutes_sd: float | None
    """How far below the margin one case alone refutes the claim; None where nothing can be settled."""
    supports_sd: float | None
    """How far above the margin each case supports it."""
    fewest: int = FEWEST
    """The least number of seeds that can settle it."""
    looks: tuple[AtLook, ...] = ()
    """Where seeds are added until claims are settled, what each look can show; `seeds` and the distances above are
    those of the last one.
    """


def foresee(study: Study, plan: Plan) -> tuple[Foresight, ...]:
    """For each claim of a study what the trials of a plan can show."""
    if not study.claim:
        return ()
    trials = pl.DataFrame(list(_rows(plan)), schema=SCHEMA, orient="row")
    return tuple(_foreseen(claim, trials, plan, study.sweep.looks) for claim in study.claim)


def _rows(plan: Plan) -> Iterator[dict[str, object]]:
    columns = {label: placed.arm.columns() for label, placed in plan.arms.items()}
    for trial in plan.trials:
        label = trial.arm.label
        yield {
            "arm": label,
            "model": "",
            "dataset": "",
            **columns[label],
            "sparsity": trial.sparsity,
            "seed": trial.seed,
        }


def _foreseen(claim: Claim, trials: pl.DataFrame, plan: Plan, looks: Sequence[Look]) -> Foresight:
    cases = cases_of(claim, trials, plan.arms).compared
    seeds = min((case.pairs.height for case in cases), default=0)
    # The mean over the cases is one number for each seed, whatever the number of cases.
    judged = 1 if claim.over == "average" else len(cases)
    if looks and cases and all(_can_be_taken(case, looks[0]) for case in cases):
        at = tuple(_at(look, judged) for look in looks)
        needed: tuple[float | None, float | None] = at[-1].refutes_sd, at[-1].supports_sd
        seeds = looks[-1].seeds
    else:
        at = ()
        needed = spreads_needed(seeds, judged) if seeds >= FEWEST and not looks else (None, None)
    return Foresight(
        text=claim.text, over=claim.over, seeds=seeds, cases=len(cases), refutes_sd=needed[0], supports_sd=needed[1],
        fewest=looks[0].seeds if looks else FEWEST, looks=at,
    )  # fmt: skip


def _can_be_taken(case: PairedCase, look: Look) -> bool:
    """Whether a case has every seed of a look: a part of the study (`--only seed=2`) may not."""
    return case.pairs.filter(pl.col("seed") <= look.seeds).height == look.seeds


def _at(look: Look, cases: int) -> AtLook:
    refutes, supports = spreads_needed(look.seeds, cases, look.alpha)
    return AtLook(seeds=look.seeds, refutes_sd=refutes, supports_sd=supports)
