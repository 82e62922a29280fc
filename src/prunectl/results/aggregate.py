"""From trials to lines: which columns a study's arms differ in, and means or medians over seeds with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any

import polars as pl

from prunectl.base.text import UNKNOWN
from prunectl.catalog.criterion import Unpruned
from prunectl.results.chance import all_guess
from prunectl.results.pairing import groups, pair
from prunectl.results.statistics import Center, Interval, bootstrap, center, mean, sd, t_interval
from prunectl.results.table import Task
from prunectl.results.wording import NO_BUDGET, NOT_RETRAINED, in_words

if TYPE_CHECKING:
    from prunectl.plan.graph import Placed

VARIANTS = ("at", "retrain", "budget", "rounds", "scope", "structure", "init", "model", "dataset")
"""Columns apart from criterion and ablation in which the arms of a study may differ."""

HUES = ("retrain", "at", "rounds", "scope", "structure", "init", "model", "dataset")
"""What colours encode in a study of one criterion: of the columns with most values the first one here. Budgets are an
axis, and have colours only where nothing else varies.
"""

MOST_LABELLED = 8
"""With more labels than this, colours and dashes are those of the columns; labels still name arms in tables."""

PARTS = " · "
"""Between the parts of an arm's label."""

UNNAMED = ("", "at init", NO_BUDGET)
"""Variants that the name of a line omits."""

SUMMARY: dict[str, Any] = {
    "hue": pl.String,
    "variant": pl.String,
    "criterion": pl.String,
    "ablation": pl.String,
    "at": pl.String,
    "arm": pl.String,
    "sparsity": pl.Float64,
    "compression": pl.Float64,
    "n": pl.Int64,
    "center": pl.Float64,  # the one of the next two that was asked for: what low and high are about
    "mean": pl.Float64,
    "median": pl.Float64,
    "sd": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "interval": pl.String,  # the kind of low and high
    "seeds": pl.List(pl.Float64),  # the values of the single seeds
    "at_chance": pl.Boolean,  # whether all of these networks guess; null where the number of classes is not known
    "dense": pl.Float64,  # top-1 of the same seeds' baselines, mean or median likewise
}

DIFFERENCES: dict[str, Any] = {
    **{name: kind for name, kind in SUMMARY.items() if name != "dense"},
    "unmodified_at_chance": pl.Boolean,  # `at_chance` is that of the ablated networks
}


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What a study varies: `hue` is the column that has the colours, `variant` are the further ones."""

    hue: str
    variant: tuple[str, ...]
    hues: tuple[str, ...]  # in the order of the study; UNKNOWN for arms without a value
    names: Mapping[str, str] = field(default_factory=dict)  # of arms that the study labels: their hue, and no variant
    shared: tuple[str, ...] = ()  # parts of the labels that all unmodified arms have: short names leave them out
    alone: tuple[str, ...] = ()  # criteria whose hue is their name, while those of the others are their retrainings

    @property
    def columns(self) -> tuple[str, ...]:
        """What the lines of one ablation differ in."""
        return (self.hue, *self.variant)


def pruned(trials: pl.DataFrame) -> pl.DataFrame:
    """The trials without those of controls, which are lines of no chart and no baseline."""
    return trials.filter(pl.col("criterion").ne_missing(Unpruned.name))


def controls(trials: pl.DataFrame) -> pl.DataFrame:
    """The trials of controls: dense networks, retrained."""
    return trials.filter(pl.col("criterion").eq_missing(Unpruned.name))


def given_names(arms: Mapping[str, Placed]) -> dict[str, str]:
    """Of each arm that the study labels, by its name in tables, the label without the ablation."""
    return {name: placed.arm.given for name, placed in arms.items() if placed.arm.given}


def roles(trials: pl.DataFrame, names: Mapping[str, str] | None = None) -> Roles:
    """Colours are criteria; in a study of one criterion, what it varies most.

    Where criteria are retrained in several ways by several budgets, the retrainings are compared: they have the
    colours, unless more criteria are retrained so than there are retrainings. Budgets are panels then, and so are the
    criteria, or else the retrainings. A criterion that is not retrained so has its own colour.

    `names` are labels of arms by their names in tables. Each label has a colour, if there are few.
    """
    trials = pruned(trials)
    varying = tuple(name for name in VARIANTS if _varies(trials, name))
    criteria = trials["criterion"].unique(maintain_order=True).to_list()
    retrained = _retrained(trials)
    ways = trials.filter(pl.col("criterion").is_in(retrained))["retrain"].drop_nulls().n_unique()
    alone: list[str] = []
    if 0 < len(retrained) <= ways and len(criteria) > 1:
        hue, alone = "retrain", [criterion for criterion in criteria if criterion not in retrained]
        varying = (*(["criterion"] if len(retrained) > 1 else []), *varying)
    elif len(criteria) > 1 or not varying:
        hue = "criterion"
    else:
        columns = (name for name in HUES if name in varying)
        hue = max(columns, key=lambda name: trials[name].n_unique(), default="budget")
    role = Roles(
        hue=hue,
        variant=tuple(name for name in varying if name != hue),
        hues=(),
        names=names if names and len(set(names.values())) <= MOST_LABELLED else {},
        alone=tuple(alone),
    )
    hues = tuple(with_roles(trials, role)["hue"].unique(maintain_order=True))
    return replace(role, hues=hues, shared=() if hue == "criterion" or names else _shared(trials))


def _shared(trials: pl.DataFrame) -> tuple[str, ...]:
    """The parts that the labels of all unmodified arms have, if there are several of these."""
    labels = trials.filter(pl.col("ablation") == "none")["arm"].drop_nulls().unique(maintain_order=True).to_list()
    parts = [label.split(PARTS) for label in labels]
    return tuple(part for part in parts[0] if all(part in each for each in parts)) if len(parts) > 1 else ()


def _retrained(trials: pl.DataFrame) -> list[str]:
    """The criteria with several retrainings by several budgets, each of which varies nothing more than these."""
    return [
        criterion
        for (criterion,), own in groups(trials, ["criterion"])
        if min(own[name].drop_nulls().n_unique() for name in ("retrain", "budget")) > 1
        and max(HUES, key=lambda name: own[name].drop_nulls().n_unique()) == "retrain"
    ]


def _varies(trials: pl.DataFrame, name: str) -> bool:
    """Whether a criterion has several values of a column, or the table mixes networks or data sets."""
    if name in ("model", "dataset"):
        return trials[name].n_unique() > 1
    counts = trials.group_by("criterion").agg(pl.col(name).drop_nulls().n_unique())[name]
    return bool((counts > 1).any())


def with_roles(trials: pl.DataFrame, role: Roles) -> pl.DataFrame:
    """The trials with the columns `hue` and `variant` (one text; empty if nothing varies)."""
    alone = trials["criterion"].is_in(role.alone)
    spoken = trials.with_columns(*(in_words(trials, name) for name in role.columns), _alone=alone)
    named = [_named(name) for name in role.variant]
    variant = pl.concat_str(named, separator=" · ", ignore_nulls=True) if named else pl.lit("")
    if "budget" in role.variant:
        variant = pl.when(variant == "").then(pl.lit(NO_BUDGET)).otherwise(variant)
    hue = pl.col(role.hue).fill_null(UNKNOWN)
    if role.alone:
        spoken = spoken.with_columns(criterion=in_words(trials, "criterion"))
        way = hue if "criterion" in role.variant else pl.concat_str("criterion", hue, separator=", ")
        hue = pl.when("_alone").then("criterion").otherwise(way)
    roles = spoken.select(hue.alias("hue"), variant.alias("variant"))
    if not role.names:
        return trials.with_columns(roles)
    given = pl.col("arm").replace_strict(role.names, default=None, return_dtype=pl.String)
    return trials.with_columns(roles).with_columns(
        hue=pl.coalesce(given, "hue"), variant=pl.when(given.is_null()).then("variant").otherwise(pl.lit(""))
    )


def _named(name: str) -> pl.Expr:
    """A value that is clear alone: 'at end', 'no retraining'. What is pruned at init is trained, not retrained."""
    if name == "criterion":
        return pl.when(~pl.col("_alone")).then(pl.col(name))
    if name == "at":
        return pl.format("at {}", pl.col(name))
    if name == "retrain":
        return pl.when((pl.col(name) != NOT_RETRAINED) | (pl.col("at") != "init")).then(pl.col(name))
    return pl.col(name)


def summarise(
    trials: pl.DataFrame,
    metric: str = "top1",
    role: Roles | None = None,
    of: Center = "mean",
    task: Task | None = None,
) -> pl.DataFrame:
    """One row per arm and sparsity: mean and median of a metric over the seeds, with the 80 % bootstrap interval
    of the one that is asked for. Trials without the metric are left out; an arm without any has no row.

    `task` is what the networks are measured on: whether an arm is at chance follows from it.
    """
    done = with_roles(pruned(trials), role or roles(trials)).filter(pl.col(metric).is_not_null())
    by = ["hue", "variant", "criterion", "ablation", "at", "arm", "sparsity", "compression"]
    rows = []
    for values, cell in groups(done, by):
        numbers = cell[metric].to_list()
        row = dict(zip(by, values, strict=True))
        dense = cell["top1_dense"].drop_nulls().to_list()
        row |= _spread(numbers, bootstrap(numbers, of), of) | {"dense": center(dense, of) if dense else None}
        row["at_chance"] = all_guess(cell, task, metric)
        rows.append(row)
    return pl.DataFrame(rows, schema=SUMMARY)


def _spread(numbers: Sequence[float], interval: Interval | None, of: Center) -> dict[str, Any]:
    return {
        "n": len(numbers),
        "center": center(numbers, of),
        "mean": mean(numbers),
        "median": median(numbers),
        "sd": sd(numbers),
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "interval": interval.kind if interval else None,
        "seeds": list(numbers),
    }


def ablation_pairs(trials: pl.DataFrame, role: Roles | None = None) -> pl.DataFrame:
    """One row per ablated trial that has its unmodified twin (same arm, sparsity and seed): `difference` in top-1.

    Sparsity 0 has nothing to ablate and is left out.
    """
    named = with_roles(trials, role or roles(trials)).filter((pl.col("sparsity") > 0) & pl.col("top1").is_not_null())
    plain = named.filter(pl.col("ablation") == "none")
    found = [
        pair(ablated, plain, ignore=["ablation"], strict=True).frame
        for _, ablated in groups(named.filter(pl.col("ablation") != "none"), ["ablation"])
    ]
    if not found:
        return named.clear().with_columns(pl.lit(None, pl.Float64).alias("difference"))
    return pl.concat(found).with_columns((pl.col("top1") - pl.col("top1_other")).alias("difference"))


def ablation_differences(trials: pl.DataFrame, role: Roles | None = None, task: Task | None = None) -> pl.DataFrame:
    """One row per ablated arm and sparsity: the mean paired difference with its 95 % t-interval, and whether the
    ablated and the unmodified networks are at chance on the `task`.
    """
    by = ["hue", "variant", "criterion", "ablation", "at", "arm", "sparsity", "compression"]
    rows = []
    for values, cell in groups(ablation_pairs(trials, role), by):
        numbers = cell["difference"].to_list()
        guess = {"at_chance": all_guess(cell, task), "unmodified_at_chance": all_guess(cell, task, "top1_other")}
        rows.append(dict(zip(by, values, strict=True)) | _spread(numbers, t_interval(numbers), "mean") | guess)
    return pl.DataFrame(rows, schema=DIFFERENCES)


def baselines(trials: pl.DataFrame) -> pl.DataFrame:
    """One row per dense network: data set, model, init, seed, top-1; costs where a trial of sparsity 0 has them."""
    return (
        pruned(trials)
        .filter(pl.col("top1_dense").is_not_null())
        .sort("sparsity", maintain_order=True)
        .unique(["model", "dataset", "init", "seed"], keep="first", maintain_order=True)
        .select(
            "model", "dataset", "init", "seed", "top1_dense", "n_params", "flops_dense", "size_bytes_dense", "device",
            pl.when(pl.col("sparsity") == 0).then("train_s").alias("train_s"),
        )
    )  # fmt: skip


def collapses(trials: pl.DataFrame) -> pl.DataFrame:
    """The trials in which a layer has nothing left."""
    return trials.filter(pl.col("layers_collapsed").list.len() > 0)
