"""The answer at a glance: a few figures, and the best unmodified arm at each sparsity, for every format to lay out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from prunectl.base.text import and_list, percent, plural, points
from prunectl.report import cells
from prunectl.report.grid import Grid, arms_by_sparsity
from prunectl.results import granting, matching_words, ranking, summary
from prunectl.results.aggregate import PARTS, Roles, given_names, roles
from prunectl.results.chance import explained
from prunectl.results.claims import Verdict
from prunectl.results.ranking import Best
from prunectl.results.statistics import Center
from prunectl.results.summary import Ablated
from prunectl.results.table import Results
from prunectl.results.verdict_rule import Outcome

MARKS: dict[Outcome, str] = {"supported": "✓", "refuted": "✗", "not settled": "?", "not asked": "–"}
"""What stands before each answer to a claim."""
ABOVE_CHANCE = "no arm above chance"
MOST_ROWS = 12
"""Maximum number of sparsities in the table of the best arms."""
MOST_LINES = 6
"""Maximum number of lines about the best arms on a terminal."""
NAMED = 3
"""Maximum number of arms that a tile names; the others are counted."""
BEST_HEADS = ("sparsity", "best unmodified arm", "top-1, %", "to dense, points", "next", "top-1, %", "seed by seed")


class Tile(NamedTuple):
    """A figure, what it is, and what explains it."""

    name: str
    figure: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a study shows, for a reader who has ten seconds."""

    dense: tuple[Tile, ...]
    best: tuple[Best, ...]  # at the sparsest sparsities, ascending
    others: tuple[Tile, ...]  # what matches the dense network, what ablations change, the verdicts
    chance: str  # what the mark of networks at chance means, where the best arms or the next ones have it
    shared: tuple[str, ...]  # a sentence on what the names of arms leave out, if they do
    notes: tuple[str, ...]  # sentences that no figure replaces

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The figures, with the best arm at the highest sparsity alone."""
        return (*self.dense, *(best_tile(row, row) for row in self.best[-1:]), *self.others)

    @property
    def lines(self) -> tuple[Tile, ...]:
        """The figures, with the best arm at each of the sparsities: those in a row with the same arm are together."""
        runs = [list(rows) for _, rows in groupby(self.best, _named)]
        return (*self.dense, *(best_tile(rows[0], rows[-1]) for rows in runs[-MOST_LINES:]), *self.others)

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads of the table of the best arms."""
        return BEST_HEADS

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """Its rows. Readers sort them, so each has its arm."""
        return best_rows(self.best)


def answer(results: Results, grid: Grid | None, verdicts: Sequence[Verdict], of: Center = "mean") -> Answer:
    """The answer of a study; of one without trials, the sentence that there are none."""
    trials, names, task = results.trials, given_names(results.arms), results.task
    if grid is None:
        return Answer(dense=(), best=(), others=(), chance="", shared=(), notes=summary.notes(trials, of))
    best = tuple(ranking.best(trials, of, names, MOST_ROWS, task))
    marked = any(row.at_chance or row.next_at_chance for row in best)
    return Answer(
        dense=(*_dense(grid), *_guessing(grid)),
        best=best,
        others=(*_matching(grid), *map(_ablation, summary.ablated(trials, names, task)), *_claims(verdicts)),
        chance=f"{cells.CHANCE} {explained(task)}" if marked else "",
        shared=tuple(_shared(roles(trials, names))),
        notes=(
            *matching_words.moments(results),
            *summary.notes(trials, of, task),
            *granting.sentences(results.study, trials, verdicts),
            *summary.remarks(trials, results.arms),
            *([results.mixture] if results.mixture else []),
        ),
    )


def of_results(results: Results, verdicts: Sequence[Verdict], of: Center = "mean") -> tuple[Grid | None, Answer]:
    """The accuracies of a study by arm and sparsity, if it has trials, and its answer."""
    margin, names = results.study.report.matching_margin, given_names(results.arms)
    trials = results.trials
    grid = arms_by_sparsity(trials, of, margin, names, results.task) if trials.height else None
    return grid, answer(results, grid, verdicts, of)


def best_tile(first: Best, last: Best) -> Tile:
    """The best arm at a sparsity, or at those from the first to the last, with its distance to the dense network."""
    ends = [first] if first is last else [first, last]
    sparsity = _along([percent(row.sparsity) for row in ends])
    if first.none_above_chance:
        return Tile(f"best at {sparsity}", ABOVE_CHANCE, "none is better than guessing")
    figure = _along([percent(row.center, 2) for row in ends])
    changes = [points(row.change, sign=True) for row in ends if row.change is not None]
    against = f", {_along(changes, ' points')} to dense" if changes else ""
    guess = " (at chance)" if first.at_chance else ""
    return Tile(f"best at {sparsity}", figure, f"{first.arm}{guess}{against}")


def _named(row: Best) -> str:
    """What a line about the best arm names."""
    return ABOVE_CHANCE if row.none_above_chance else f"{row.arm}{' (at chance)' if row.at_chance else ''}"


def _along(texts: Sequence[str], unit: str = " %") -> str:
    """Numbers of the first and the last place with their unit once: '90 → 98 %'. No interval: these have 'to'."""
    return " → ".join([*(text.removesuffix(unit) for text in texts[:-1]), texts[-1]])


def best_rows(best: Sequence[Best]) -> list[tuple[str, ...]]:
    """Sparsity, best arm, its accuracy and distance to dense, the next arm with its accuracy, whether they differ."""
    return [
        (
            percent(row.sparsity), _named(row), cells.marked(row.center, row.at_chance), cells.change(row.change),
            *_next(row),
        )
        for row in best
    ]  # fmt: skip


def _next(row: Best) -> tuple[str, str, str]:
    """The arm after the best; among arms that all guess there is no order."""
    if row.none_above_chance:
        return cells.MISSING, cells.MISSING, ""
    return row.next, cells.marked(row.next_center, row.next_at_chance), row.lead.replace(" seed by seed", "")


def _shared(role: Roles) -> Iterator[str]:
    """What short names leave out."""
    if role.shared:
        yield f"All arms are {PARTS.join(role.shared)}; their short names leave that out."


def _dense(grid: Grid) -> Iterator[Tile]:
    for name, cell in grid.dense.items():
        if cell.text != cells.MISSING and not name.startswith("dense ·"):
            note = ", ".join(filter(None, [cell.spread, "at chance" if cell.at_chance else ""]))
            yield Tile(f"{name}, top-1", f"{cells.accuracy(cell.center)} %", note)


def _guessing(grid: Grid) -> Iterator[Tile]:
    """Where no pruned network of the study is better than guessing, readers learn that first."""
    if grid.all_at_chance:
        yield Tile("pruned", "at chance", "no arm is better than guessing at any sparsity")


def _matching(grid: Grid) -> Iterator[Tile]:
    """How far the unmodified arms match that match furthest. Ablated arms are no answer."""
    name = f"within {matching_words.tolerance(grid.margin)} of dense"
    if grid.rows and grid.dense and all(cell.at_chance for cell in grid.dense.values()):
        yield Tile(name, "not judged", "the dense network is at chance")
        return
    plain = [row for row in grid.rows if row.matching and row.ablation == "none"]
    if not plain:
        return
    furthest = max(row.furthest or 0.0 for row in plain)
    if not furthest:
        yield Tile(name, "at no sparsity")
        return
    every = furthest == grid.sparsities[-1]
    arms = list(dict.fromkeys(row.name for row in plain if row.furthest == furthest))
    more = [plural(len(arms) - NAMED, "more arm")] if len(arms) > NAMED else []
    figure = "at every sparsity" if every else f"up to {percent(furthest)}"
    yield Tile(name, figure, and_list([*arms[:NAMED], *more]))


def _ablation(found: Ablated) -> Tile:
    return Tile(f"{found.noun}, on average", points(found.change, sign=True), found.counts)


def _claims(verdicts: Sequence[Verdict]) -> Iterator[Tile]:
    if not verdicts:
        return
    counts = Counter(verdict.answer for verdict in verdicts)
    text = "  ".join(f"{MARKS[answer]} {counts[answer]}" for answer in MARKS if counts[answer])
    yield Tile("claims", text, ", ".join(answer for answer in MARKS if counts[answer]))
