"""A comparison for a terminal: no line is wider than it. Plain text without colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from prunectl.base.text import percent, plural, points
from prunectl.report.text import wrapped
from prunectl.results import compare
from prunectl.results.compare import Cell, Comparison, Side, letter
from prunectl.results.published.against import Held, held_sentences

LISTED = 3
"""So many of the trials that only one side has are named."""
LEAST = 44
"""A narrower terminal breaks lines itself."""


def lines(names: Sequence[str], found: Comparison | None, held: Sequence[Held], width: int) -> Iterator[str]:
    """Every table held against the first, then the published numbers beside ours."""
    width = max(width, LEAST)
    for at, name in enumerate(names):
        yield from wrapped(f"{letter(at)}  {name}", width, first="")
    for at, side in enumerate(found.sides if found else (), 1):
        yield ""
        yield from _side(side, letter(at), width)
    for one in held:
        yield ""
        yield from _held(one, width)


def _side(side: Side, other: str, width: int) -> Iterator[str]:
    differing = {**side.differs, **side.keys}
    if differing:
        yield f"What differs, A → {other}:"
    for key, (one, another) in differing.items():
        yield from wrapped(f"{key}: {one} → {another}", width, first="  ")
    if differing:
        yield ""
    for text in compare.sentences(side, other):
        yield from wrapped(text, width, first="")
    if side.cells:
        yield ""
        heads = ("sparsity", "A %", f"{other} %", f"{other} − A", "95 % t-interval", "seeds", "")
        yield from _table(heads, [(cell.arm, cell_row(cell)) for cell in side.cells], width)
    for label, rest in (("A", side.only_first), (other, side.only_other)):
        if rest:
            more = f" and {len(rest) - LISTED:,} more" if len(rest) > LISTED else ""
            text = f"Only in {label}: {plural(len(rest), 'trial')}: {'; '.join(rest[:LISTED])}{more}"
            yield from wrapped(text, width, first="")


def cell_row(cell: Cell) -> tuple[str, ...]:
    """Sparsity, both accuracies, difference, interval, seeds, and a mark for what is settled."""
    interval = cell.interval
    mark = {"higher": "↑", "lower": "↓", "the same": "="}.get(cell.answer, "")
    return (
        percent(cell.sparsity), number(cell.first), number(cell.other), signed(cell.difference),
        bounds(interval.low, interval.high) if interval else "–", str(cell.n), mark,
    )  # fmt: skip


def _held(held: Held, width: int) -> Iterator[str]:
    yield from wrapped(f"published:{held.name}  {held.about.title}. {held.about.source}", width, first="")
    if held.about.warning:
        yield from wrapped(f"Mind: {held.about.warning}", width, first="")
    for text in held_sentences(held):
        yield from wrapped(text, width, first="")
    if held.rows:
        yield ""
        heads = ("sparsity", "published %", f"{held.ours} %", "difference", "95 % t-interval", "seeds", "held")
        yield from _table(heads, [(arm_of(row, held.rows), held_row(row)) for row in held.rows], width)


def held_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Sparsity, the published accuracy and ours, difference, our interval, seeds, whether it holds the published."""
    return (
        percent(row["sparsity"]), number(row["published"]), number(row["ours"]), signed(row["difference"]),
        "–" if row["low"] is None else plain_bounds(row["low"], row["high"]), str(row["n"]), within(row["within"]),
    )  # fmt: skip


def arm_of(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The arm of ours that a published number stands beside, with network and data set where there are several."""
    several = [name for name in ("model", "dataset") if len({each[name] for each in rows}) > 1]
    return " · ".join(str(row[name]) for name in ("arm", *several) if row[name])


def number(value: float | None) -> str:
    """A fraction in percent, without the unit."""
    return "–" if value is None else f"{value * 100:.2f}"


def signed(value: float | None) -> str:
    """A difference in points, without the unit."""
    return "–" if value is None else points(value, sign=True, unit=False)


def bounds(low: float, high: float) -> str:
    """An interval of a difference, in points."""
    return f"{signed(low)} to {signed(high)}"


def plain_bounds(low: float, high: float) -> str:
    """An interval of an accuracy, in percent."""
    return f"{points(low, unit=False)} to {points(high, unit=False)}"


def within(held: bool | None) -> str:
    """Whether an interval holds the published number."""
    return {None: "", True: "yes", False: "no"}[held]


def _table(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], width: int) -> Iterator[str]:
    """A heading per arm and a row per sparsity under it. What does not fit goes: seeds first, then intervals."""
    shown = list(range(len(heads)))
    widths = [max(len(heads[at]), *(len(row[at]) for _, row in rows)) for at in shown]
    for spare in (5, 6, 4):
        if sum(widths[at] + 2 for at in shown) > width:
            shown.remove(spare)

    def line(texts: Sequence[str]) -> str:
        return "".join("  " + texts[at].rjust(widths[at]) for at in shown).rstrip()

    yield line(heads)
    for arm, cells in groupby(rows, lambda row: row[0]):
        yield arm if len(arm) <= width else arm[: width - 1] + "…"
        for _, texts in cells:
            yield line(texts)
