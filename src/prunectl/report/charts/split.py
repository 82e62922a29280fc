"""Too many lines for one frame: some of the columns that they differ in become panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import polars as pl

from prunectl.base.text import UNKNOWN
from prunectl.report.charts.look import MOST_VARIANTS, Look
from prunectl.results.aggregate import with_roles
from prunectl.results.wording import NOT_RETRAINED

PANELLED = ("budget", "dataset", "model", "init", "structure", "scope", "rounds", "at", "retrain")
"""The columns that become panels, the first ones first: what is left is compared within a panel."""
COMPARED = ("criterion", "retrain")
"""Of these one has the colours where both vary with the budget; the other one and the budgets are panels."""
MOST_LINES = 7
"""With more lines than this, there are panels even if there are dashes enough: for budgets, and for what crosses the
colours, as rounds and structures do with retrainings.
"""
COLUMNS = 4
"""Maximum number of panels in a row, unless they have budgets: all of these are in a row."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Panels:
    """A summary with a column `panel`, whose variants are those within the panels."""

    frame: pl.DataFrame
    look: Look  # with a dash for each of these variants
    order: Sequence[str]  # of the panels: where two columns are panels, a row for each value of the first one
    columns: int  # maximum number of panels in a row
    by: Sequence[str]  # the columns of the table of trials whose values a panel has


def needed(frame: pl.DataFrame, look: Look) -> bool:
    """Whether the lines of a summary need panels. `look` is that of the frame."""
    if "criterion" in look.role.variant or len(look.variants) > MOST_VARIANTS:
        return True
    lines = frame.select("hue", "variant").drop_nulls().unique()  # without the dense network, in all panels
    return lines.height > MOST_LINES and ("budget" in look.role.variant or _crossed(lines))


def _crossed(lines: pl.DataFrame) -> bool:
    """Whether several colours are compared in most variants. A variant that only one of them has is a reference for
    the others, and belongs into their frame.
    """
    colours = lines.group_by("variant").len()["len"]
    return 2 * int((colours > 1).sum()) > colours.len() > 1


def split(frame: pl.DataFrame, trials: pl.DataFrame, look: Look) -> Panels:
    """Columns become panels: all of them if one row has room for these panels, and else as few as possible, so that a
    panel holds all lines that can be distinguished in it.
    """
    columns = _columns(trials, look)
    rest = [name for name in look.role.variant if name not in columns]
    unlabelled = replace(look, role=replace(look.role, names={}))  # a label names a colour, and no panel
    panels = _variants(trials, unlabelled, columns, "panel").with_columns(panel=_titled(columns))
    names = panels.join(_variants(trials, look, rest, "within"), on="arm")
    drawn = frame.join(names, on="arm", how="left", maintain_order="left").with_columns(variant="within")
    variants = drawn["variant"].unique(maintain_order=True).to_list()
    shown = set(drawn["panel"])
    return Panels(
        frame=drawn,
        look=replace(look, dashes=Look.of(look.role, variants).dashes),
        order=[panel for panel in _order(trials, unlabelled, columns) if panel in shown],
        columns=max(COLUMNS, trials["budget"].drop_nulls().n_unique()) if "budget" in columns else COLUMNS,
        by=columns,
    )


def _columns(trials: pl.DataFrame, look: Look) -> tuple[str, ...]:
    """The columns that become panels: all that vary if one row has room for their panels; else the fewest without
    which at most MOST_VARIANTS variants are left, budgets if one column is enough.
    """
    varying = [name for name in (*COMPARED, *PANELLED) if name in look.role.variant]
    crossed = "budget" in varying and varying[0] in COMPARED
    always = (varying[0], "budget") if crossed else ()
    others = [name for name in PANELLED if name in varying and name not in always]
    if _variants(trials, look, (*always, *others), "panel")["panel"].n_unique() <= COLUMNS:
        return (*always, *others)
    for number in range(0 if always else 1, len(others)):
        for more in combinations(others, number):
            columns = (*always, *more)
            rest = [name for name in look.role.variant if name not in columns]
            if _variants(trials, look, rest, "within")["within"].n_unique() <= MOST_VARIANTS:
                return columns
    return (*always, *others)


def _order(trials: pl.DataFrame, look: Look, columns: Sequence[str]) -> list[str]:
    """The panels by the value of the first column, then by that of the next one, both in the order of the study."""
    named = trials.unique("arm", maintain_order=True).join(_variants(trials, look, columns, "panel"), on="arm")
    places = [{value: at for at, value in enumerate(trials[name].unique(maintain_order=True))} for name in columns]
    cells = named.select(*columns, title=_titled(columns)).unique(maintain_order=True).rows()
    ordered = sorted(cells, key=lambda row: [places[at][value] for at, value in enumerate(row[:-1])])
    return list(dict.fromkeys(row[-1] for row in ordered))


def _variants(trials: pl.DataFrame, look: Look, columns: Sequence[str], name: str) -> pl.DataFrame:
    """Of each arm its text of some of the columns."""
    named = with_roles(trials, replace(look.role, variant=tuple(columns)))
    return named.select("arm", pl.col("variant").alias(name)).unique("arm", maintain_order=True)


def _titled(columns: Sequence[str]) -> pl.Expr:
    """The panel, with a title for arms without a value: those that are pruned at init are trained, not retrained."""
    none = NOT_RETRAINED if "retrain" in columns else UNKNOWN
    return pl.when(pl.col("panel") == "").then(pl.lit(none)).otherwise("panel")
