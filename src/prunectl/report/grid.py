"""Arms by sparsity: the table of accuracies of a report, for each format to lay out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from prunectl.base.text import percent, span
from prunectl.report import cells
from prunectl.results import matching_words
from prunectl.results.aggregate import baselines, controls, roles, summarise, with_roles
from prunectl.results.chance import all_guess, explained
from prunectl.results.matched import of_arms
from prunectl.results.pairing import groups
from prunectl.results.ranking import name_of
from prunectl.results.statistics import FEWEST, Center, bootstrap, bootstrap_words, center, mean
from prunectl.results.table import Task


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An arm at one sparsity: mean or median top-1 over the seeds that are done, with its 80 % bootstrap interval."""

    center: float | None
    low: float | None
    high: float | None
    n: int  # seeds done
    of: int  # seeds asked for
    best: bool  # the highest of the column, unless it is at chance
    dense: float | None  # the baseline's
    at_chance: bool | None  # no better than guessing, with every seed; None where that is not known

    @property
    def text(self) -> str:
        """In percent, without the unit, with a mark where networks are at chance."""
        return cells.marked(self.center, self.at_chance)

    @property
    def spread(self) -> str:
        """The interval in percent, or nothing."""
        return "" if self.low is None else cells.between(self.low, self.high)

    @property
    def with_spread(self) -> str:
        """In percent, with the interval in brackets if there is one."""
        return f"{self.text} ({self.spread})" if self.spread else self.text

    @property
    def change(self) -> str:
        """The difference to the baseline in points, or nothing."""
        return "" if self.center is None or self.dense is None else cells.change(self.center - self.dense)


@dataclass(frozen=True, kw_only=True)
class Row:
    """An arm."""

    arm: str
    name: str  # short, as sentences call it
    ablation: str
    matching: str  # the highest matching sparsity; empty where nothing is known
    furthest: float | None  # the same as a number, where some sparsity is matched
    cells: tuple[Cell, ...]

    @property
    def key(self) -> float:
        """What arms are ranked by: the mean over the sparsities. An arm without a value at one of them comes last."""
        known = [cell.center for cell in self.cells if cell.center is not None]
        return mean(known) if len(known) == len(self.cells) and known else -1.0


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Arms by sparsity. Sparsity 0 is the baseline, the same for all arms, and has no column."""

    sparsities: tuple[float, ...]
    rows: tuple[Row, ...]
    dense: Mapping[str, Cell]  # by 'dense', or 'dense, xavier-normal' where networks are drawn in several ways
    of: Center
    margin: float  # of matching accuracies, a fraction
    task: Task | None = None  # what the networks are measured on

    @property
    def heads(self) -> tuple[str, ...]:
        """The sparsities as column heads."""
        return tuple(percent(value) for value in self.sparsities)

    @property
    def seeds(self) -> int:
        """The number of seeds asked for, where arms differ the greatest."""
        return max((cell.of for row in self.rows for cell in row.cells), default=0)

    @property
    def several_seeds(self) -> str:
        """The number of seeds in words: '3 seeds', or '3 to 12 seeds' where some arms were granted more."""
        return f"{span(cell.of for row in self.rows for cell in row.cells if cell.of)} seeds"

    @property
    def interval(self) -> str:
        """What the cells have in brackets, in words; nothing with too few seeds for an interval."""
        most = self.seeds
        done = max((cell.n for row in self.rows for cell in row.cells), default=0)
        complete = [cell.n for row in self.rows for cell in row.cells if FEWEST <= cell.n == cell.of < most]
        done = min([done, *complete])  # arms that were granted fewer seeds
        return bootstrap_words(done, self.of) if done >= FEWEST else ""

    @property
    def matching(self) -> str:
        """What the column of matching sparsities has, in words; nothing where there is no such column."""
        shown = [row.matching for row in self.rows if row.matching]
        return matching_words.column(self.margin, shown) if shown else ""

    @property
    def chance(self) -> str:
        """What the mark of networks at chance means, in words; nothing where no number has it."""
        every = [*self.dense.values(), *(cell for row in self.rows for cell in row.cells)]
        return f"{cells.CHANCE} {explained(self.task)}" if any(cell.at_chance for cell in every) else ""

    @property
    def all_at_chance(self) -> bool:
        """Whether no arm is better than guessing at any sparsity."""
        known = [cell for row in self.rows for cell in row.cells if cell.center is not None]
        return bool(known) and all(cell.at_chance for cell in known)

    @property
    def ranked(self) -> tuple[Row, ...]:
        """The best arm first."""
        return tuple(sorted(self.rows, key=lambda row: -row.key))


def arms_by_sparsity(
    trials: pl.DataFrame,
    of: Center = "mean",
    margin: float = 0.01,
    names: Mapping[str, str] | None = None,
    task: Task | None = None,
) -> Grid:
    """Means or medians over the seeds by arm and sparsity, in the order of the study; what matches within a margin.

    `names` are the labels that the study gives its arms, `task` is what the networks are measured on.
    """
    role = roles(trials, names)
    pruned = with_roles(trials.filter(pl.col("sparsity") > 0), role)
    sparsities = tuple(sorted(pruned["sparsity"].unique().to_list()))
    rows = summarise(pruned, role=role, of=of, task=task).iter_rows(named=True)
    summary = {(row["arm"], row["sparsity"]): row for row in rows}
    asked = {key: rest.height for key, rest in groups(pruned, ["arm", "sparsity"])}
    best = {
        sparsity: max((row["center"] for (_, at), row in summary.items() if at == sparsity), default=None)
        for sparsity in sparsities
    }

    dense = _dense(trials, of, task)
    reached = of_arms(trials, margin, task)
    matching = {arm: matching_words.cell(found) for arm, found in reached.items()}

    def cell(arm: str, sparsity: float) -> Cell:
        row = summary.get((arm, sparsity), {})
        return Cell(
            **{name: row.get(name) for name in ("center", "low", "high", "dense", "at_chance")},
            n=row.get("n", 0),
            of=asked.get((arm, sparsity), 0),
            best=bool(row) and row["center"] == best[sparsity] and not row["at_chance"],
        )

    arms = tuple(
        Row(
            arm=arm or cells.MISSING,
            name=name_of(rest.row(0, named=True), role),
            ablation=rest["ablation"][0] or "none",
            matching=matching.get(arm, ""),
            furthest=reached[arm].estimate if arm in reached and reached[arm].known else None,
            cells=tuple(cell(arm, sparsity) for sparsity in sparsities),
        )
        for (arm,), rest in groups(pruned, ["arm"])
    )
    return Grid(sparsities=sparsities, rows=arms, dense=dense, of=of, margin=margin, task=task)


def _dense(trials: pl.DataFrame, of: Center, task: Task | None) -> dict[str, Cell]:
    by_init = dict(groups(baselines(trials), ["init"]))
    retrained = {
        arm: _baseline(networks, "top1", trials, of, task)
        for (arm,), networks in groups(controls(trials).filter(pl.col("top1").is_not_null()), ["arm"])
    }
    return {
        "dense" if len(by_init) == 1 else f"dense, {init}": _baseline(networks, "top1_dense", trials, of, task)
        for (init,), networks in by_init.items()
    } | retrained


def _baseline(networks: pl.DataFrame, column: str, trials: pl.DataFrame, of: Center, task: Task | None) -> Cell:
    numbers = networks[column].to_list()
    interval = bootstrap(numbers, of)
    return Cell(
        center=center(numbers, of),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=len(numbers),
        of=trials["seed"].n_unique(),
        best=False,
        dense=None,
        at_chance=all_guess(networks, task, column),
    )
