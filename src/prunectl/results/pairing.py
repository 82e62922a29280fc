"""Which trials belong together: pairs of trials that differ in what is compared and in nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from prunectl.study.arms import CHOICES

SPARSITY_DIGITS = 9
"""Sparsities that agree so far are the same one: 1 − 0.8³ and 0.488."""


NULL_AGREES = ("at", "budget")
"""Columns in which no value means that there is no such choice: it agrees with every value."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Pairs of trials: the columns of `one`, and those of `other` with the suffix `_other`.

    `differs` holds the columns that have a single value on each side, but not the same; `crossed` the ignored ones
    that have several, so that a trial has a pair with each trial of another label.
    """

    frame: pl.DataFrame
    on: tuple[str, ...]
    crossed: tuple[str, ...]
    differs: dict[str, tuple[str | None, str | None]]
    unpaired: pl.DataFrame  # the rows of `one` without a pair


def pair(one: pl.DataFrame, other: pl.DataFrame, ignore: Iterable[str] = (), *, strict: bool = False) -> Pairs:
    """Pair trials by every choice but the ignored ones, by sparsity and by seed.

    A column that has only one value on each side leaves nothing to choose: where the two values differ, that is
    what is compared, and it does not keep trials apart, unless the pairing is strict. Where a trial has no budget,
    it pairs with every budget of the other side, and the pair has that one.
    """
    differing = {name: _single(one, other, name) for name in CHOICES if not strict}
    differs = {name: values for name, values in differing.items() if values is not None}
    free = [name for name in CHOICES if name in set(ignore) and name not in differs]
    on = tuple(name for name in CHOICES if name not in differs and name not in free)
    keys = [*on, "_sparsity", "_of", "seed"]
    numbered = rounded(one).with_row_index("_row")
    frame = numbered.join(
        rounded(other).unique([*keys, *free], keep="first", maintain_order=True),
        on=[name for name in keys if name not in NULL_AGREES],
        how="inner",
        suffix="_other",
        nulls_equal=True,
        maintain_order="left",
    )
    for name in set(on).intersection(NULL_AGREES):
        agree = (pl.col(name) == pl.col(f"{name}_other")).fill_null(value=True)
        frame = frame.filter(agree).with_columns(pl.coalesce(name, f"{name}_other").alias(name)).drop(f"{name}_other")
    crossed = tuple(name for name in free if max(frame[name].n_unique(), frame[f"{name}_other"].n_unique()) > 1)
    return Pairs(
        frame=frame.drop("_sparsity", "_of", "_row"),
        on=on,
        crossed=crossed,
        differs=differs,
        unpaired=numbered.join(frame, on="_row", how="anti", maintain_order="left").drop("_sparsity", "_of", "_row"),
    )


def rounded(trials: pl.DataFrame) -> pl.DataFrame:
    """The trials with columns that are safe to join on: `_sparsity`, and `_of`, what it is a fraction of.

    Nothing is nothing of whatever it is counted in: dense networks pair. A table without the column has fractions of
    the prunable weights.
    """
    of = pl.col("sparsity_of") if "sparsity_of" in trials.columns else pl.lit(None, pl.String)
    return trials.with_columns(
        pl.col("sparsity").round(SPARSITY_DIGITS).alias("_sparsity"),
        pl.when(pl.col("sparsity") == 0).then(pl.lit("")).otherwise(of.fill_null("prunable")).alias("_of"),
    )


def _single(one: pl.DataFrame, other: pl.DataFrame, name: str) -> tuple[str | None, str | None] | None:
    """The two values of a column, if each side has one and they are not the same."""
    ones, others = one[name].unique().to_list(), other[name].unique().to_list()
    if name in NULL_AGREES and None in (*ones, *others):
        return None
    return (ones[0], others[0]) if len(ones) == len(others) == 1 and ones != others else None


def groups(frame: pl.DataFrame, by: Sequence[str]) -> list[tuple[tuple[Any, ...], pl.DataFrame]]:
    """The rows of each combination of values, in the order in which the combinations come first."""
    return list(frame.group_by(list(by), maintain_order=True)) if by else [((), frame)]
