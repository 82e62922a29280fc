"""Too many variants for dashes: some of the columns that they differ in become panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import polars as pl

from prunectl.report.charts.look import MOST_VARIANTS, Look
from prunectl.results.aggregate import with_roles

PANELLED = ("budget", "dataset", "model", "init", "structure", "scope", "rounds", "at", "retrain")
"""The columns that become panels, the first ones first: what is left is compared within a panel."""


def split(frame: pl.DataFrame, trials: pl.DataFrame, look: Look) -> tuple[pl.DataFrame, Look]:
    """A summary with a column `panel`, its variants those within the panels, and the look with a dash for each.

    As few columns as possible become panels, so that a panel holds all the curves that can be distinguished in it.
    """
    columns = _columns(trials, look)
    rest = [name for name in look.role.variant if name not in columns]
    names = _variants(trials, look, columns, "panel").join(_variants(trials, look, rest, "within"), on="arm")
    drawn = frame.join(names, on="arm", how="left", maintain_order="left").with_columns(variant="within")
    variants = drawn["variant"].unique(maintain_order=True).to_list()
    return drawn, replace(look, dashes=Look.of(look.role, variants).dashes)


def _columns(trials: pl.DataFrame, look: Look) -> tuple[str, ...]:
    """The fewest columns without which at most MOST_VARIANTS variants are left."""
    varying = [name for name in PANELLED if name in look.role.variant]
    for number in range(1, len(varying)):
        for columns in combinations(varying, number):
            rest = [name for name in look.role.variant if name not in columns]
            if _variants(trials, look, rest, "within")["within"].n_unique() <= MOST_VARIANTS:
                return columns
    return tuple(varying)


def _variants(trials: pl.DataFrame, look: Look, columns: Sequence[str], name: str) -> pl.DataFrame:
    """Of each arm its text of some of the columns."""
    named = with_roles(trials, replace(look.role, variant=tuple(columns)))
    return named.select("arm", pl.col("variant").alias(name)).unique("arm", maintain_order=True)
