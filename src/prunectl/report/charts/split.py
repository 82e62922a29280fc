"""Too many variants for dashes: some of the columns that they differ in become panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import polars as pl

from prunectl.base.text import UNKNOWN
from prunectl.report.charts.look import MOST_VARIANTS, Look
from prunectl.results.aggregate import with_roles
from prunectl.results.wording import NOT_RETRAINED

PANELLED = ("budget", "dataset", "model", "init", "structure", "scope", "rounds", "at", "retrain")
"""The columns that become panels, the first ones first: what is left is compared within a panel."""


def split(frame: pl.DataFrame, trials: pl.DataFrame, look: Look) -> tuple[pl.DataFrame, Look]:
    """A summary with a column `panel`, its variants those within the panels, and the look with a dash for each.

    As few columns as possible become panels, so that a panel holds all the curves that can be distinguished in it.
    """
    columns = _columns(trials, look)
    rest = [name for name in look.role.variant if name not in columns]
    unlabelled = replace(look, role=replace(look.role, names={}))  # a label names a colour, and no panel
    panels = _variants(trials, unlabelled, columns, "panel").with_columns(panel=_titled(columns))
    names = panels.join(_variants(trials, look, rest, "within"), on="arm")
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


def _titled(columns: Sequence[str]) -> pl.Expr:
    """The panel, with a title for arms without a value: those that are pruned at init are trained, not retrained."""
    none = NOT_RETRAINED if "retrain" in columns else UNKNOWN
    return pl.when(pl.col("panel") == "").then(pl.lit(none)).otherwise("panel")
