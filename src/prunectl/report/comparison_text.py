"""A comparison for a terminal: no line is wider than the terminal. Plain text without colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from prunectl.base.text import plural
from prunectl.report import tables
from prunectl.report.text import wrapped
from prunectl.results import compare
from prunectl.results.compare import Comparison, Side, letter
from prunectl.results.published.against import Held, held_sentences

LISTED = 3
"""Maximum number of trials listed of those that only one table has."""
LEAST = 44
"""Minimum width. A narrower terminal breaks lines itself."""
MARKS = {"higher": "↑", "lower": "↓", "the same": "="}


def lines(names: Sequence[str], comparison: Comparison | None, held: Sequence[Held], width: int) -> Iterator[str]:
    """Every table compared with the first, then the published numbers with ours."""
    width = max(width, LEAST)
    for at, name in enumerate(names):
        yield from wrapped(f"{letter(at)}  {name}", width, first="")
    for at, side in enumerate(comparison.sides if comparison else (), 1):
        yield ""
        yield from _side(side, letter(at), width, tables.chance_of(comparison) if comparison else ())
    for table in held:
        yield ""
        yield from _published(table, width)


def _side(side: Side, other: str, width: int, chance: Sequence[str]) -> Iterator[str]:
    differing = {**tables.differing(side), **side.keys}
    if differing:
        yield f"What differs, A → {other}:"
        for key, (value, another) in differing.items():
            yield from wrapped(f"{key}: {value} → {another}", width, first="  ")
        yield ""
    for text in compare.sentences(side, other):
        yield from wrapped(text, width, first="")
    if side.cells:
        yield ""
        rows = [(cell.arm, (*tables.case(cell), MARKS.get(cell.answer, ""))) for cell in side.cells]
        yield from _table((*tables.case_heads(other), ""), rows, width)
        for text in chance:
            yield from wrapped(text, width, first="")
    for label, trials in (("A", side.only_first), (other, side.only_other)):
        if trials:
            more = f" and {len(trials) - LISTED:,} more" if len(trials) > LISTED else ""
            text = f"Only in {label}: {plural(len(trials), 'trial')}: {'; '.join(trials[:LISTED])}{more}"
            yield from wrapped(text, width, first="")


def _published(held: Held, width: int) -> Iterator[str]:
    about = held.about
    yield from wrapped(f"published:{held.name}  {held.origin}".rstrip(), width, first="")
    if about.warning:
        yield from wrapped(f"Mind: {about.warning}", width, first="")
    for text in held_sentences(held):
        yield from wrapped(text, width, first="")
    if held.rows:
        yield ""
        numbers = [(*tables.published(row), tables.within(row)) for row in held.rows]
        rows = list(zip(tables.published_arms(held), numbers, strict=True))
        yield from _table((*tables.published_heads(held.ours), "held"), rows, width)
        yield from wrapped(tables.chance_of_published(held), width, first="")


def _table(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], width: int) -> Iterator[str]:
    """A heading per arm and a row per sparsity under it. Columns that do not fit are left out: seeds first, then
    marks, then intervals.
    """
    shown = list(range(len(heads)))
    widths = [2 + max(len(head), *(len(texts[at]) for _, texts in rows)) for at, head in enumerate(heads)]
    for spare in (tables.CASE_SEEDS, len(heads) - 1, tables.CASE_INTERVAL):
        if sum(widths[at] for at in shown) > width:
            shown.remove(spare)

    def line(texts: Sequence[str]) -> str:
        return "".join(texts[at].rjust(widths[at]) for at in shown).rstrip()

    yield line(heads)
    for arm, cells in groupby(rows, lambda row: row[0]):
        yield from wrapped(arm, width, first="")
        for _, texts in cells:
            yield line(texts)
