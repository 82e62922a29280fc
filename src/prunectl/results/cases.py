"""The cases of a claim: which arm is compared with which, at which sparsity, paired by seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import UNKNOWN, and_list, percent
from prunectl.catalog.criterion import Unpruned
from prunectl.plan.graph import Placed
from prunectl.results import ablations
from prunectl.results.aggregate import controls, pruned
from prunectl.results.pairing import Pairs, groups, pair
from prunectl.results.sides import asked_apart
from prunectl.results.table import METRICS
from prunectl.results.wording import wording
from prunectl.study.arms import CHOICES
from prunectl.study.claimed import SAME_SPARSITY, selectors_of
from prunectl.study.schema import Claim

DENSE = (*(metric.name for metric in METRICS), "status", "artefact")
"""What is compared of a dense network."""

PLACES = ("sparsity", "seed")
"""What pairs always agree in."""
SHOWN = 4
"""Maximum number of values of a column that a reason lists."""

OF_PRUNING = {"scope", "structure", "at", "rounds", "ablation"}
"""Columns in which a control, which is not pruned, has nothing to agree in."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedCase:
    """One case: an arm that `better` selects against one that `than` selects, at one sparsity."""

    name: str  # what the pairs share and what is compared, where the claim leaves a choice; else empty
    sparsity: float
    pairs: pl.DataFrame  # a row per seed; the columns of the other arm have the suffix '_other'


@dataclass(frozen=True, kw_only=True)
class Cases:
    """The cases of a claim; what else its two sides differ in, in words; or why there is none."""

    compared: tuple[PairedCase, ...] = ()
    also: tuple[str, ...] = ()
    none: str = ""


def cases_of(claim: Claim, trials: pl.DataFrame, arms: Mapping[str, Placed]) -> Cases:
    """The cases that a table of trials has; `arms` are the study's, by label.

    Sparsity 0 is the baseline itself and is left out unless `at_sparsity` asks for it.
    """
    if isinstance(claim.than, str):
        return _against_dense(claim, trials, arms)
    asked = _about(claim, pruned(trials))
    dense = _at_each(controls(trials), asked)
    better, than = (
        selected(pl.concat([asked, dense]) if "criterion" in selector else asked, arms, selector)
        for selector in (claim.better, claim.than)
    )
    if better.is_empty() or than.is_empty():
        return Cases(none=f"no trial is what {'better' if better.is_empty() else 'than'!r} selects")
    pairs = pairs_of(claim, better, than)
    if pairs.frame.is_empty():
        return Cases(none=why_none(claim, better, than))
    shared = [name for name in pairs.on if pairs.frame[name].n_unique() > 1]
    crossed = [*pairs.crossed, *(f"{name}_other" for name in pairs.crossed)]
    return Cases(
        compared=tuple(
            _compared(cell, shared, pairs.crossed, arms)
            for _, cell in groups(pairs.frame, [*shared, *crossed, "sparsity"])
        ),
        also=tuple(
            _also(
                {name: values for name, values in pairs.differs.items() if name not in asked_apart(claim)}, pairs, arms
            )
        ),
    )


def _also(
    differs: Mapping[str, tuple[str | None, str | None]], pairs: Pairs, arms: Mapping[str, Placed]
) -> Iterator[str]:
    """In what else the two sides differ: by their labels if the study gives each one, else with the values."""
    labels = [pairs.frame[name].unique(maintain_order=True).to_list() for name in ("arm", "arm_other")]
    given = [side[0] for side in labels if len(side) == 1 and side[0] in arms and arms[side[0]].arm.given]
    if differs and len(given) == len(labels):
        yield f"{and_list(given)} also differ in {and_list(list(differs))}"
        return
    for name, (ones, others) in differs.items():
        yield f"{name} is {words(ones or UNKNOWN)} for the one and {words(others or UNKNOWN)} for the other"


def why_none(claim: Claim, better: pl.DataFrame, than: pl.DataFrame) -> str:
    """Why no trial of one side has a pair: the columns in which all differ, and that the claim does not compare."""
    compared = asked_apart(claim)
    apart = [
        f"{name} is {_values(ones)} for 'better' and {_values(others)} for 'than'"
        for name in (*CHOICES, *PLACES)
        if name not in compared
        and None not in (ones := better[name].unique(maintain_order=True).to_list())
        and None not in (others := than[name].unique(maintain_order=True).to_list())
        and not {*ones} & {*others}
    ]
    text = "no two trials differ in only what the claim is about"
    return f"{text}: {'; '.join(apart)}" if apart else text


def _values(cells: Sequence[Any]) -> str:
    """The first few values of a column, in words."""
    shown = [percent(each) if isinstance(each, float) else words(str(each)) for each in cells[:SHOWN]]
    return and_list([*shown, *([f"{len(cells) - SHOWN} more"] if len(cells) > SHOWN else [])])


def _against_dense(claim: Claim, trials: pl.DataFrame, arms: Mapping[str, Placed]) -> Cases:
    """Each arm that `better` selects against the dense network of its own seed and initialization."""
    everything = _about(claim, pruned(trials))
    if claim.better.get("criterion") == Unpruned.name:
        everything = controls(trials)
    better = selected(everything, arms, claim.better)
    if better.is_empty():
        return Cases(none="no trial is what 'better' selects")
    pairs = with_dense(better, trials)
    shared = [name for name in CHOICES if pairs[name].n_unique() > 1]
    return Cases(compared=tuple(_compared(cell, shared, (), arms) for _, cell in groups(pairs, [*shared, "sparsity"])))


def with_dense(trials: pl.DataFrame, every: pl.DataFrame) -> pl.DataFrame:
    """The trials, each with its dense network in columns with the suffix '_other'.

    That is the trial of sparsity 0. Where the sweep has none, only its top-1 is known, which each trial carries. The
    trials of a plan, which have no results yet, are only named.
    """
    if "status" not in every.columns:
        return trials.with_columns(arm_other=pl.lit("dense"))
    keys = ["model", "dataset", "init", "seed"]
    measured = [name for name in DENSE if name in every.columns]
    zero = pruned(every).filter((pl.col("sparsity") == 0) & (pl.col("status") == "done"))
    baselines = zero.unique(keys, keep="first", maintain_order=True).select(
        *keys, *(pl.col(name).alias(f"{name}_other") for name in measured)
    )
    joined = trials.join(baselines, on=keys, how="left", nulls_equal=True, maintain_order="left")
    status = pl.when(pl.col("top1_dense").is_null()).then(pl.lit("missing")).otherwise(pl.lit("done"))
    return joined.with_columns(
        top1_other=pl.coalesce("top1_other", "top1_dense"), status_other=pl.coalesce("status_other", status),
        arm_other=pl.lit("dense"),
    )  # fmt: skip


def _at_each(dense: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Controls at each sparsity that a claim is about: a control has none of its own, and is compared with all."""
    columns = ["sparsity", "sparsity_of", "compression"]
    columns = [name for name in columns if name in asked.columns]
    return dense.drop(columns).join(asked.select(columns).unique(), how="cross").select(asked.columns)


def pairs_of(claim: Claim, better: pl.DataFrame, than: pl.DataFrame) -> Pairs:
    """Pairs of different arms. In a column that only one side asks for, the two agree, if they can."""
    asked_once = set(claim.better).symmetric_difference(selectors_of(claim).get("than", {}))
    differing = asked_apart(claim)
    if any(controls(side).height == side.height for side in (better, than)):
        differing |= OF_PRUNING - claim.better.keys() - selectors_of(claim).get("than", {}).keys()
    for ignored in (differing, differing | asked_once):
        pairs = pair(better, than, ignore=ignored)
        pairs = replace(pairs, frame=pairs.frame.filter(pl.col("arm") != pl.col("arm_other")))
        if not pairs.frame.is_empty():
            break
    return pairs


def selected(trials: pl.DataFrame, arms: Mapping[str, Placed], selector: Mapping[str, Any]) -> pl.DataFrame:
    """The rows of the arms that a selector means."""
    return trials.filter(pl.col("arm").is_in([label for label, placed in arms.items() if placed.arm.matches(selector)]))


def _about(claim: Claim, trials: pl.DataFrame) -> pl.DataFrame:
    """The trials at the sparsities that a claim is about; of a number of the whole sweep the sparsest, a row a seed."""
    if claim.metric.swept:
        sparsest = pl.col("sparsity") == pl.col("sparsity").max().over("arm")
        return trials.filter((pl.col("sparsity") > 0) & sparsest)
    if claim.at_sparsity is None:
        return trials.filter(pl.col("sparsity") > 0)
    near = [(pl.col("sparsity") - value).abs() <= SAME_SPARSITY for value in claim.at_sparsity]
    return trials.filter(pl.any_horizontal(near))


def _compared(
    cell: pl.DataFrame, shared: Sequence[str], crossed: Sequence[str], arms: Mapping[str, Placed]
) -> PairedCase:
    row = cell.row(0, named=True)
    name = _labelled(row, arms) if shared or crossed else ""
    name = name or _name(row, shared, crossed)
    assert cell["seed"].is_unique().all(), f"{name}: a case has each seed once"
    return PairedCase(name=name, sparsity=cell["sparsity"][0], pairs=cell)


def _labelled(row: Mapping[str, Any], arms: Mapping[str, Placed]) -> str:
    """The labels that the study gives the two arms; nothing where it does not."""
    sides = [row[name] for name in ("arm", "arm_other")]
    given = [side for side in sides if side in arms and arms[side].arm.given]
    return " against ".join(given) if len(given) == 2 or (given and sides[1] == "dense") else ""


def _name(row: Mapping[str, Any], shared: Sequence[str], crossed: Sequence[str]) -> str:
    """What the pairs of a case share, and the two arms that are compared: 'erk · weight-rewind against finetune'."""
    sides = [" · ".join(_spoken(name, row[f"{name}{side}"]) for name in crossed) for side in ("", "_other")]
    against = [" against ".join(sides)] if crossed else []
    return " · ".join([*(_spoken(name, row[name]) for name in shared), *against])


def _spoken(name: str, cell: str | None) -> str:
    if name == "ablation" and cell == "none":
        return ablations.verb(cell)
    return wording(name, UNKNOWN if cell is None else cell)
