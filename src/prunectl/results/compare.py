"""Two or more tables held against each other, trial by trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from prunectl.base.text import percent, plural, points
from prunectl.results.chance import all_guess
from prunectl.results.pairing import Pairs, groups, pair
from prunectl.results.statistics import FEWEST, Interval, bootstrap, kinds_of_interval, mean, t_interval
from prunectl.results.table import Task
from prunectl.results.table_files import read_table
from prunectl.results.wording import in_words
from prunectl.study.arms import CHOICES

__all__ = ["Cell", "Comparison", "Mean", "Side", "compare", "flat", "letter", "read_table", "sentences"]

ABSENT = "(not there)"
BY_CHANCE = 20
"""The number of intervals from which on the number that exclude 0 by chance is given."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An arm at one sparsity that two tables have in common: other − first in top-1, paired by seed."""

    arm: str
    sparsity: float
    n: int
    first: float | None  # means over the seeds that both have
    other: float | None
    difference: float | None
    interval: Interval | None
    differences: tuple[float, ...]  # of the single seeds
    first_at_chance: bool | None = None  # every network, over these seeds, guesses; None where that is not known
    other_at_chance: bool | None = None

    @property
    def all_at_chance(self) -> bool:
        """Whether every network on both sides guesses: then the difference is noise."""
        return bool(self.first_at_chance and self.other_at_chance)

    @property
    def answer(self) -> str:
        """Whether the other table is higher or lower, as far as the interval of the difference settles it."""
        if self.all_at_chance:
            return "not settled"
        if self.n > 1 and not any(self.differences):
            return "the same"
        if self.interval is None:
            return "not settled"
        return "higher" if self.interval.low > 0 else "lower" if self.interval.high < 0 else "not settled"


@dataclass(frozen=True, kw_only=True)
class Mean:
    """An arm at one sparsity in one table: mean top-1 over its seeds, with the 80 % bootstrap interval."""

    arm: str  # as the first table calls it, if it has it
    sparsity: float
    n: int
    mean: float
    interval: Interval | None
    seeds: tuple[float, ...]  # of the single seeds
    at_chance: bool | None = None  # every network guesses; None where that is not known


@dataclass(frozen=True, kw_only=True)
class Side:
    """A table held against the first one."""

    name: str
    differs: Mapping[str, tuple[str | None, str | None]]  # arm columns in which the tables differ: first, other
    keys: Mapping[str, tuple[Any, Any]]  # keys of the study files that differ: first, other
    cells: tuple[Cell, ...]
    only_first: tuple[str, ...]  # trials that only the first table has
    only_other: tuple[str, ...]
    means: tuple[Mean, ...]  # of this table


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The first table's name, and every other table held against it."""

    first: str
    means: tuple[Mean, ...]  # of the first table
    sides: tuple[Side, ...]
    tasks: tuple[Task | None, ...] = ()  # what the networks of each table are measured on; None for a results file

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        return asdict(self)


def compare(
    *tables: pl.DataFrame,
    names: Sequence[str],
    keys: Sequence[Mapping[str, Any]] = (),
    tasks: Sequence[Task | None] = (),
) -> Comparison:
    """Hold every further table against the first. `keys` are the study files' values, nested as in the file; an
    empty one (a results file has none) is not compared. `tasks` are what the networks of each table are measured on.
    """
    studies, tasks = list(keys) or [{} for _ in tables], tuple(tasks) or (None,) * len(tables)
    if not len(tables) == len(names) == len(studies) >= 2:
        raise ValueError("a comparison takes two or more tables, each with its name")
    several = [name for name in ("model", "dataset") if any(table[name].n_unique() > 1 for table in tables)]
    first, *others = (_named(table, several) for table in tables)
    return Comparison(
        first=names[0],
        means=tuple(_means(first, tasks[0])),
        sides=tuple(
            _side(first, table, name, (studies[0], study), (tasks[0], task))
            for table, name, study, task in zip(others, names[1:], studies[1:], tasks[1:], strict=True)
        ),
        tasks=tasks,
    )


def one_task(tasks: Iterable[Task | None]) -> Task | None:
    """What the networks of all tables are measured on, as far as it is known; None where tables differ."""
    known = {task for task in tasks if task is not None}
    return known.pop() if len(known) == 1 else None


def letter(index: int) -> str:
    """What a table is called in short: A, B, ..."""
    return chr(ord("A") + index)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys; lists of tables count from 0: `prune[1].criterion`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            found |= flat(value, path)
        elif isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
            for index, item in enumerate(value):
                found |= flat(item, f"{path}[{index}]")
        else:
            found[path] = list(value) if isinstance(value, tuple) else value
    return found


def _named(trials: pl.DataFrame, several: Sequence[str]) -> pl.DataFrame:
    """The trials with a name for every arm: its label, or what was chosen; and the network or data set if there are
    several.
    """
    spoken = trials.with_columns(in_words(trials, name) for name in CHOICES)
    chosen = pl.concat_str([pl.col(name) for name in CHOICES], separator=" · ", ignore_nulls=True)
    label = pl.coalesce("arm", chosen)
    named = pl.concat_str([label, *several], separator=" · ", ignore_nulls=True)
    return trials.with_columns(spoken.select(arm=named)["arm"])


def _side(
    first: pl.DataFrame, other: pl.DataFrame, name: str, studies: tuple[Mapping[str, Any], Mapping[str, Any]],
    tasks: tuple[Task | None, Task | None],
) -> Side:  # fmt: skip
    """What a table shows compared with the first one; `studies` and `tasks` are those of the first and the other."""
    keys, other_keys = studies
    pairs = pair(first, other)
    called = dict(pairs.frame.select("arm_other", "arm").unique(maintain_order=True).rows())
    return Side(
        name=name,
        differs=pairs.differs,
        keys=_differing(flat(keys), flat(other_keys)) if keys and other_keys else {},
        cells=tuple(_cells(pairs, tasks)),
        only_first=_named_rows(pairs.unpaired),
        only_other=_named_rows(pair(other, first).unpaired),
        means=tuple(_means(other.with_columns(pl.col("arm").replace(called)), tasks[1])),
    )


def _differing(ones: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    paths = dict.fromkeys([*ones, *others])
    both = {path: (ones.get(path, ABSENT), others.get(path, ABSENT)) for path in paths}
    return {path: values for path, values in both.items() if values[0] != values[1]}


def _cells(pairs: Pairs, tasks: tuple[Task | None, Task | None]) -> Iterator[Cell]:
    for (arm, sparsity), cell in groups(pairs.frame, ["arm", "sparsity"]):
        both = cell.filter(pl.col("top1").is_not_null() & pl.col("top1_other").is_not_null())
        ones, others = both["top1"].to_list(), both["top1_other"].to_list()
        differences = [other - one for one, other in zip(ones, others, strict=True)]
        yield Cell(
            arm=arm,
            sparsity=sparsity,
            n=len(differences),
            first=mean(ones) if ones else None,
            other=mean(others) if others else None,
            difference=mean(differences) if differences else None,
            interval=t_interval(differences) if differences else None,
            differences=tuple(differences),
            first_at_chance=all_guess(both, tasks[0]),
            other_at_chance=all_guess(both, tasks[1], "top1_other"),
        )


def _means(trials: pl.DataFrame, task: Task | None) -> Iterator[Mean]:
    for (arm, sparsity), cell in groups(trials.filter(pl.col("top1").is_not_null()), ["arm", "sparsity"]):
        numbers = cell["top1"].to_list()
        yield Mean(
            arm=arm,
            sparsity=sparsity,
            n=len(numbers),
            mean=mean(numbers),
            interval=bootstrap(numbers),
            seeds=tuple(numbers),
            at_chance=all_guess(cell, task),
        )


def _named_rows(trials: pl.DataFrame) -> tuple[str, ...]:
    return tuple(
        f"{row['arm']}, {percent(row['sparsity'])}, seed {row['seed']}" for row in trials.iter_rows(named=True)
    )


# ---- in words ----------------------------------------------------------------------------------------


def intervals(comparison: Comparison | None, published: Iterable[int] = ()) -> Iterator[str]:
    """The sentence about the intervals of a comparison, if it has any; `published` are the numbers of seeds of those
    of our accuracies that stand next to a published one.
    """
    tables = [comparison.means, *(side.means for side in comparison.sides)] if comparison else []
    counts = [*(each.n for means in tables for each in means), *published]
    bounded = [n for n in counts if n >= FEWEST]
    if bounded:
        yield kinds_of_interval(min(bounded), "mean")


def sentences(side: Side, other: str) -> Iterator[str]:
    """What a table, called `other`, shows compared with the first one, called A."""
    common = sum(cell.n for cell in side.cells)
    if not side.cells:
        yield f"No trial of A has a counterpart in {other}: none agrees in arm, sparsity and seed."
        return
    yield (
        f"A and {other} have {plural(common, 'done trial')} in common, in {plural(len(side.cells), 'case')} (an arm at "
        f"a sparsity); {plural(len(side.only_first), 'trial')} only in A, {len(side.only_other):,} only in {other}."
    )
    yield from (f"{text}." for text in [*_dense(side, other), *_pruned(side, other)])


def _dense(side: Side, other: str) -> Iterator[str]:
    """The baselines: the same networks in every arm of one initialization, so the first arm is enough."""
    cells = [cell for cell in side.cells if cell.sparsity == 0 and cell.difference is not None]
    different = {(cell.first, cell.other): cell for cell in reversed(cells)}
    for cell in reversed(different.values()):
        whose = f" of {cell.arm}" if len(different) > 1 else ""
        ours, theirs = percent(cell.first, 2), percent(cell.other, 2)
        yield f"The dense networks{whose} reach {ours} in A and {theirs} in {other}, {spread(cell, other)}"


def _pruned(side: Side, other: str) -> Iterator[str]:
    pruned = [cell for cell in side.cells if cell.sparsity > 0 and cell.difference is not None]
    if not pruned:
        return
    overall = points(mean([cell.difference for cell in pruned if cell.difference is not None]), sign=True)
    judged = [cell for cell in pruned if cell.n >= FEWEST]
    if not judged:
        few = "one seed each" if max(cell.n for cell in pruned) == 1 else "at most two seeds each"
        yield f"Pruned networks differ by {overall} on average ({other} − A); {few}, so nothing is judged"
        return
    counts = {answer: sum(cell.answer == answer for cell in judged) for answer in ("higher", "lower", "the same")}
    open_ = len(judged) - sum(counts.values())
    same = f", the same in {counts['the same']}" if counts["the same"] else ""
    yield (
        f"Pruned networks differ by {overall} on average ({other} − A). Of {plural(len(judged), 'case')} with three or "
        f"more common seeds {other} is higher in {counts['higher']}, lower in {counts['lower']}{same} and not settled "
        f"in {open_}"
    )
    if guess := sum(cell.all_at_chance for cell in judged):
        yield f"In {plural(guess, 'case')} every network is at chance, which settles nothing"
    if len(judged) >= BY_CHANCE and counts["higher"] + counts["lower"]:
        yield f"By chance alone about {len(judged) / 20:.0f} of {len(judged)} such intervals leave 0 out"
    for answer, sign in (("higher", -1), ("lower", 1)):
        settled = sorted(
            (cell for cell in judged if cell.answer == answer), key=lambda cell: sign * (cell.difference or 0)
        )
        if settled:
            cell = settled[0]
            yield f"{other} is {answer} by most with {cell.arm} at {percent(cell.sparsity)}, {spread(cell, other)}"


def _guessing(cell: Cell, other: str) -> str:
    """Which side is at chance."""
    if cell.all_at_chance:
        return "; every network is at chance"
    sides = [name for name, guess in (("A", cell.first_at_chance), (other, cell.other_at_chance)) if guess]
    return f"; {sides[0]} is at chance" if sides else ""


def spread(cell: Cell, other: str) -> str:
    """The difference of a cell, with its interval and seeds, and which side is at chance."""
    if cell.difference is None:
        return "not measured in both"
    text = f"a difference of {points(cell.difference, sign=True)}"
    if cell.interval is None:
        few = {1: "one seed", 2: "two seeds"}.get(cell.n, f"the same with all {cell.n} seeds")
        return f"{text}, {few}{_guessing(cell, other)}"
    low, high = (points(bound, sign=True, unit=False) for bound in (cell.interval.low, cell.interval.high))
    return f"{text} (95 % t-interval {low} to {high}, {plural(cell.n, 'seed')}){_guessing(cell, other)}"
