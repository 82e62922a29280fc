"""The best arm at each sparsity, and whether it is set apart from the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import points
from prunectl.results.aggregate import PARTS, UNNAMED, Roles, roles, summarise, with_roles
from prunectl.results.pairing import groups
from prunectl.results.statistics import Center, mean, paired, t_interval
from prunectl.results.table import Task

SPOKEN = 6
"""The maximum number of sparsities that get a sentence of their own: the sparsest ones."""


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best unmodified arm at a sparsity, and the next one."""

    sparsity: float
    arm: str
    center: float
    low: float | None
    high: float | None
    next: str
    next_center: float
    change: float | None  # to the dense network, the mean over the seeds, paired; None where no baseline is done
    lead: str  # whether the best is set apart from the next, seed by seed, in words; empty without an interval
    at_chance: bool | None  # whether the best is no better than guessing, with every seed; None where not known
    next_at_chance: bool | None
    none_above_chance: bool | None  # no arm is better than guessing: the best is only the highest


def best(
    trials: pl.DataFrame,
    of: Center = "mean",
    names: Mapping[str, str] | None = None,
    most: int = SPOKEN,
    task: Task | None = None,
) -> Iterator[Best]:
    """At each of the sparsest sparsities, `most` of them, the best unmodified arm, where there are several arms."""
    role = roles(trials, names)
    plain = with_roles(trials, role).filter(
        (pl.col("ablation") == "none") & (pl.col("sparsity") > 0) & pl.col("top1").is_not_null()
    )
    several = [(where, cell) for where, cell in groups(plain.sort("sparsity", maintain_order=True), ["sparsity"])
               if cell["arm"].n_unique() > 1]  # fmt: skip
    for (sparsity,), cell in several[-most:]:
        ranked = summarise(cell, role=role, of=of, task=task).sort("center", descending=True, maintain_order=True)
        first, second = ranked.row(0, named=True), ranked.row(1, named=True)
        yield Best(
            sparsity=sparsity,
            arm=name_of(first, role),
            center=first["center"],
            low=first["low"],
            high=first["high"],
            next=name_of(second, role),
            next_center=second["center"],
            change=_change(cell.filter(pl.col("arm") == first["arm"])),
            lead=_lead(cell, first["arm"], second["arm"]),
            at_chance=first["at_chance"],
            next_at_chance=second["at_chance"],
            none_above_chance=None if task is None else ranked["at_chance"].all(),
        )


def _change(rows: pl.DataFrame) -> float | None:
    differences = (rows["top1"] - rows["top1_dense"]).drop_nulls().to_list()
    return mean(differences) if differences else None


def _lead(cell: pl.DataFrame, first: str, second: str) -> str:
    """Whether the first is set apart from the second, seed by seed; nothing for one seed."""
    ones, others = (
        dict(cell.filter(pl.col("arm") == arm).select("seed", "top1").iter_rows()) for arm in (first, second)
    )
    interval = t_interval(list(paired(ones, others).values()))
    if interval is None:
        return ""
    low, high = points(interval.low, sign=True, unit=False), points(interval.high, sign=True, unit=False)
    verdict = "set apart" if interval.low > 0 else "not set apart"
    return f"{verdict} seed by seed ({low} to {high} points)"


def name_of(row: dict[str, Any], role: Roles) -> str:
    """What a sentence calls an arm. What sets arms of one criterion apart is no name by itself: 'none is best'."""
    if row["arm"] in role.names:
        return role.names[row["arm"]]
    if role.hue != "criterion":
        parts = str(row["arm"]).removesuffix(f"{PARTS}{words(row['ablation'])}").split(PARTS)
        return PARTS.join([part for part in parts if part not in role.shared] or parts)
    return f"{row['hue']}" + (f" ({row['variant']})" if row["variant"] not in UNNAMED else "")
