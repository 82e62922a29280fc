"""Up to which sparsity, and from which moment on, the arms of a table match the dense network.

An arm is compared with the dense networks of its own seeds and initialization. The rule is in `matching_rule.py`.
Nothing matches dense networks that all guess: arms with such have no matching sparsity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from prunectl.catalog.values import PruningMoment
from prunectl.plan.graph import Placed
from prunectl.results.aggregate import pruned
from prunectl.results.chance import all_guess
from prunectl.results.matching_rule import Place, Reach, reach, within
from prunectl.results.pairing import groups
from prunectl.results.table import Task
from prunectl.study.arms import moment_label

AFTER_TRAINING = {"criterion": "magnitude", "at": "end", "ablation": "none"}
"""The arms whose matching sparsities are those of a study, if they are retrained: Frankle et al. (2021), section 1."""

BY_SEED: dict[str, Any] = {
    "arm": pl.String,
    "seed": pl.Int64,
    "matching_sparsity": pl.Float64,  # null where a trial that decides is not done
    "artefacts": pl.List(pl.String),  # of the arm's trials with this seed
}


@dataclass(frozen=True, kw_only=True)
class Matching:
    """The highest matching sparsity of an arm: how many of its sparsities, ascending and without 0, are matched."""

    sparsities: tuple[float, ...]
    reach: Reach
    seeds: int  # the most that a sparsity has

    @property
    def known(self) -> bool:
        """Whether some trial of the arm and its dense network are done."""
        return self.seeds > 0

    @property
    def estimate(self) -> float | None:
        """The estimate as a sparsity, None if not even the lowest is matched."""
        return self.sparsities[self.reach.estimate - 1] if self.reach.estimate else None


@dataclass(frozen=True, kw_only=True)
class Moments:
    """The earliest matching moment of arms that differ only in when they are pruned, at one sparsity."""

    arms: str  # what they share
    sparsity: float
    moments: tuple[str, ...]  # in words, from the latest to the earliest
    reach: Reach


def guessing(trials: pl.DataFrame, task: Task | None) -> tuple[str, ...]:
    """The arms that are pruned whose dense networks all guess on the task."""
    known = pruned(trials).filter(pl.col("top1_dense").is_not_null())
    return tuple(arm for (arm,), rows in groups(known, ["arm"]) if all_guess(rows, task, "top1_dense"))


def of_arms(trials: pl.DataFrame, margin: float, task: Task | None) -> dict[str, Matching]:
    """The highest matching sparsity of each arm that is pruned, by label, in the order of the table; not of arms whose
    dense networks all guess on the task.
    """
    places: dict[str, dict[float, Place]] = {}
    for (arm, sparsity), rows in groups(_matchable(trials, task), ["arm", "sparsity"]):
        places.setdefault(arm, {})[sparsity] = _place(rows)
    return {
        arm: Matching(
            sparsities=tuple(by_sparsity),
            reach=reach([*by_sparsity.values()], margin),
            seeds=max(len(place.differences) for place in by_sparsity.values()),
        )
        for arm, by_sparsity in ((arm, dict(sorted(found.items()))) for arm, found in places.items())
    }


def of_moments(trials: pl.DataFrame, arms: Mapping[str, Placed], margin: float, task: Task | None) -> list[Moments]:
    """For arms that differ only in `at`, and each sparsity, the earliest moment from which on pruning matches.

    Moments after which the schedule restarts are compared with each other alone.
    """
    alike: dict[tuple[object, ...], list[Placed]] = {}
    for placed in arms.values():
        if placed.arm.at is not None and placed.arm.criterion.prunes:
            alike.setdefault(_but_the_moment(placed), []).append(placed)
    several = [sorted(each, key=lambda placed: -placed.at_step) for each in alike.values() if len(each) > 1]
    rows = {key: _place(rows) for key, rows in groups(_matchable(trials, task), ["arm", "sparsity"])}
    sparsities = sorted({sparsity for _, sparsity in rows})
    return [
        _moments(placed, sparsity, [rows[each.arm.label, sparsity] for each in placed], margin)
        for placed in several
        for sparsity in sparsities
        if all((each.arm.label, sparsity) in rows for each in placed)
    ]


def of_seeds(trials: pl.DataFrame, margin: float) -> pl.DataFrame:
    """For each arm and seed the highest sparsity at which, and below which, accuracy is within the margin of the same
    seed's dense network; 0 if it is not at the lowest.
    """
    rows = []
    for (arm, seed), swept in groups(_swept(trials), ["arm", "seed"]):
        ordered = swept.sort("sparsity")
        found = _highest(ordered["sparsity"].to_list(), ordered["_difference"].to_list(), margin)
        artefacts = ordered["artefact"].drop_nulls().to_list()
        rows.append({"arm": arm, "seed": seed, "matching_sparsity": found, "artefacts": artefacts})
    return pl.DataFrame(rows, schema=BY_SEED)


def after_training(arms: Mapping[str, Placed], found: Mapping[str, Matching]) -> tuple[str, Matching] | None:
    """Of magnitude pruning after training, with retraining, the arm that matches furthest; None without such an arm."""
    known = [
        (label, found[label])
        for label, placed in arms.items()
        if placed.at_end and placed.after.recipe is not None and placed.arm.matches(AFTER_TRAINING) and label in found
    ]
    return max(known, key=lambda each: each[1].estimate or 0.0, default=None)


def _matchable(trials: pl.DataFrame, task: Task | None) -> pl.DataFrame:
    """The trials that can match, of arms whose dense networks do not all guess."""
    return _swept(trials).filter(~pl.col("arm").is_in(list(guessing(trials, task)), nulls_equal=True))


def _swept(trials: pl.DataFrame) -> pl.DataFrame:
    """The trials that can match, with the difference in accuracy to the dense network of their seed."""
    return pruned(trials).filter(pl.col("sparsity") > 0).with_columns(_difference=pl.col("top1") - pl.col("top1_dense"))


def _place(rows: pl.DataFrame) -> Place:
    known = rows["_difference"].drop_nulls().to_list()
    return Place(differences=tuple(known), whole=len(known) == rows.height)


def _highest(sparsities: Sequence[float], differences: Sequence[float | None], margin: float) -> float | None:
    highest = 0.0
    for sparsity, difference in zip(sparsities, differences, strict=True):
        if difference is None:
            return None
        if not within([difference], margin):
            break
        highest = sparsity
    return highest


def _but_the_moment(placed: Placed) -> tuple[object, ...]:
    at = placed.arm.at
    schedule = at.schedule if isinstance(at, PruningMoment) else "continue"
    return (schedule, *(cell for column, cell in placed.arm.columns().items() if column != "at"))


def _moments(placed: Sequence[Placed], sparsity: float, places: Sequence[Place], margin: float) -> Moments:
    return Moments(
        arms=replace(placed[0].arm, at=None).described,
        sparsity=sparsity,
        moments=tuple(_labels(placed)),
        reach=reach(places, margin),
    )


def _labels(placed: Sequence[Placed]) -> Iterator[str]:
    for each in placed:
        assert each.arm.at is not None
        yield moment_label(each.arm.at)
