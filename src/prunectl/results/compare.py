"""Two or more tables held against each other, trial by trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from prunectl.results.files import read_table
from prunectl.results.pairing import CHOICES, Pairs, groups, pair, rounded
from prunectl.results.statistics import Interval, mean, t_interval
from prunectl.results.wording import percent, plural, points

__all__ = ["Cell", "Comparison", "Side", "compare", "flat", "lines", "read_table"]

ABSENT = "(not there)"


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


@dataclass(frozen=True, kw_only=True)
class Side:
    """A table held against the first one."""

    name: str
    differs: Mapping[str, tuple[str | None, str | None]]  # arm columns that tell the tables apart: first, other
    keys: Mapping[str, tuple[Any, Any]]  # keys of the study files that differ: first, other
    cells: tuple[Cell, ...]
    only_first: tuple[str, ...]  # trials that only the first table has
    only_other: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The first table's name, and every other table held against it."""

    first: str
    sides: tuple[Side, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        return asdict(self)


def compare(*tables: pl.DataFrame, names: Sequence[str], keys: Sequence[Mapping[str, Any]] = ()) -> Comparison:
    """Hold every further table against the first. `keys` are the study files' values, nested as in the file; an
    empty one (a results file has none) is not compared.
    """
    studies = list(keys) or [{} for _ in tables]
    if not len(tables) == len(names) == len(studies) >= 2:
        raise ValueError("a comparison takes two or more tables, each with its name")
    others = zip(tables[1:], names[1:], studies[1:], strict=True)
    return Comparison(
        first=names[0],
        sides=tuple(_side(tables[0], table, name, studies[0], study) for table, name, study in others),
    )


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


def _side(
    first: pl.DataFrame, other: pl.DataFrame, name: str, keys: Mapping[str, Any], other_keys: Mapping[str, Any]
) -> Side:
    pairs = pair(first, other)
    return Side(
        name=name,
        differs=pairs.differs,
        keys=_differing(flat(keys), flat(other_keys)) if keys and other_keys else {},
        cells=tuple(_cells(pairs)),
        only_first=_unpaired(first, other, pairs),
        only_other=_unpaired(other, first, pairs),
    )


def _differing(ones: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    paths = dict.fromkeys([*ones, *others])
    both = {path: (ones.get(path, ABSENT), others.get(path, ABSENT)) for path in paths}
    return {path: values for path, values in both.items() if values[0] != values[1]}


def _cells(pairs: Pairs) -> Iterator[Cell]:
    for (arm, sparsity), cell in groups(pairs.frame, ["arm", "sparsity"]):
        both = cell.filter(pl.col("top1").is_not_null() & pl.col("top1_other").is_not_null())
        ones, others = both["top1"].to_list(), both["top1_other"].to_list()
        differences = [other - one for one, other in zip(ones, others, strict=True)]
        yield Cell(
            arm=arm or "",
            sparsity=sparsity,
            n=len(differences),
            first=mean(ones) if ones else None,
            other=mean(others) if others else None,
            difference=mean(differences) if differences else None,
            interval=t_interval(differences) if differences else None,
        )


def _unpaired(ones: pl.DataFrame, others: pl.DataFrame, pairs: Pairs) -> tuple[str, ...]:
    rest = rounded(ones).join(
        rounded(others), on=[*pairs.on, "_sparsity", "seed"], how="anti", nulls_equal=True, maintain_order="left"
    )
    return tuple(
        f"{row['arm'] or _arm(row)}, {percent(row['sparsity'])}, seed {row['seed']}"
        for row in rest.iter_rows(named=True)
    )


def _arm(row: Mapping[str, Any]) -> str:
    return " · ".join(str(row[name]) for name in CHOICES if row[name])


def lines(found: Comparison, width: int) -> Iterator[str]:
    """The comparison for a terminal, no line wider than `width` where a table can help it."""
    for side in found.sides:
        yield f"A  {found.first}"
        yield f"B  {side.name}"
        yield from _head(side)
        yield ""
        if side.cells:
            yield from _table(side.cells, width)
        else:
            yield "No trial of the one has a counterpart in the other."
        for label, rest in (("A", side.only_first), ("B", side.only_other)):
            if rest:
                more = f" and {len(rest) - 3} more" if len(rest) > 3 else ""
                yield f"Only in {label}: {plural(len(rest), 'trial')}: {'; '.join(rest[:3])}{more}"
        yield ""


def _head(side: Side) -> Iterator[str]:
    differing = {**side.differs, **side.keys}
    if differing:
        yield "What differs, A → B:"
    for key, (one, other) in differing.items():
        yield f"  {key}: {one} → {other}"


def _table(cells: Sequence[Cell], width: int) -> Iterator[str]:
    """A heading per arm and a row per sparsity under it."""
    rows = [("sparsity", "A %", "B %", "B − A", "95 % t-interval", "seeds"), *map(_row, cells)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    arm = None
    yield _line(rows[0], widths)
    for cell, row in zip(cells, rows[1:], strict=True):
        if cell.arm != arm:
            arm = cell.arm
            yield arm if len(arm) <= width else arm[: width - 1] + "…"
        yield _line(row, widths)


def _row(cell: Cell) -> tuple[str, ...]:
    numbers = [None if value is None else f"{value * 100:.2f}" for value in (cell.first, cell.other)]
    interval = cell.interval
    bounds = [points(bound, sign=True, unit=False) for bound in (interval.low, interval.high)] if interval else []
    difference = None if cell.difference is None else points(cell.difference, sign=True, unit=False)
    texts = [percent(cell.sparsity), *numbers, difference, " to ".join(bounds), str(cell.n)]
    return tuple(text or "–" for text in texts)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(text.rjust(wide) for text, wide in zip(row, widths, strict=True))
