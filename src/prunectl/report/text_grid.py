"""Accuracies by arm and sparsity for a terminal: a row for each arm, or its name above its numbers where that is
narrow.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prunectl.base.text import distinct
from prunectl.report import cells
from prunectl.report.grid import Cell, Grid, Row

LEAST_ARM = 12
"""Minimum width of an arm's name in front of its numbers."""
GAP = 2
"""Spaces before each column."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a table is laid out."""

    spread: bool  # half the interval follows each number
    matching: bool  # the matching sparsity of each arm is shown
    stacked: bool  # names are above their numbers
    blocks: tuple[tuple[int, ...], ...]  # which columns are next to each other, and which below

    @property
    def whole(self) -> bool:
        """Whether all columns are next to each other."""
        return len(self.blocks) < 2


def layout(grid: Grid, width: int) -> Layout:
    """The first that fits: intervals, then whole names, come before few lines; what fits in no way is in blocks."""
    matching = bool(grid.matching)
    wanted = [
        (True, matching, False), (True, False, False), (True, matching, True),
        (False, matching, False), (False, False, False), (False, matching, True),
    ]  # fmt: skip
    layouts = [_layout(grid, width, *each) for each in wanted]
    narrow = _longest(grid) > width // 2
    return next((each for each in layouts if each.whole), layouts[-1 if narrow else -2])


def lines(grid: Grid, shown: Layout, width: int) -> Iterator[str]:
    """The table, an empty line before each block."""
    texts = [_texts(row, shown) for row in grid.rows]
    heads = _heads(grid, shown)
    widths = _widths(heads, texts)
    for place, block in enumerate(shown.blocks):
        own = [widths[at] for at in block]
        room = 0 if shown.stacked else max(LEAST_ARM, min(_longest(grid), width - sum(GAP + wide for wide in own)))
        names = distinct((row.arm for row in grid.rows), room) if room else {}
        right = min(width, max(sum(GAP + wide for wide in own), _longest(grid) + GAP + _longest_matching(grid)))
        yield ""
        yield _line("", room, [heads[at] for at in block], own)
        for row, line in zip(grid.rows, texts, strict=True):
            numbers = [line[at] for at in block]
            if shown.stacked:
                yield from _above(row.arm, row.matching if shown.matching and not place else "", right, width)
                yield _line("", 0, numbers, own)
            else:
                yield _line(names[row.arm], room, numbers, own)


def cell(shown: Cell, spread: bool) -> str:
    """A number with half its interval if that is asked for, its missing seeds, and a mark if it is the highest."""
    if shown.center is None:
        return cells.MISSING
    bounded = spread and shown.low is not None and shown.high is not None
    half = f" ±{((shown.high or 0) - (shown.low or 0)) * 50:.2f}" if bounded else ""
    hole = f" ({shown.n}/{shown.of})" if shown.n < shown.of else ""
    return f"{shown.text}{half}{hole}{'*' if shown.best else ''}"


def _layout(grid: Grid, width: int, spread: bool, matching: bool, stacked: bool) -> Layout:
    planned = Layout(spread=spread, matching=matching, stacked=stacked, blocks=())
    widths = _widths(_heads(grid, planned), [_texts(row, planned) for row in grid.rows])
    arm = 0 if stacked else _longest(grid)
    if arm + sum(GAP + wide for wide in widths) > width:
        arm = min(arm, max(LEAST_ARM, width // 2))
    return Layout(spread=spread, matching=matching, stacked=stacked, blocks=tuple(_blocks(widths, arm, width)))


def _blocks(widths: Sequence[int], arm: int, width: int) -> Iterator[tuple[int, ...]]:
    """As many columns next to each other as leave room for the arms."""
    block: tuple[int, ...] = ()
    for at in range(len(widths)):
        if block and arm + sum(GAP + widths[other] for other in (*block, at)) > width:
            yield block
            block = ()
        block = (*block, at)
    if block:
        yield block


def _heads(grid: Grid, shown: Layout) -> list[str]:
    return [*grid.heads, *(["matching"] if shown.matching and not shown.stacked else [])]


def _texts(row: Row, shown: Layout) -> list[str]:
    matching = [row.matching or cells.MISSING] if shown.matching and not shown.stacked else []
    return [*(cell(each, shown.spread) for each in row.cells), *matching]


def _widths(heads: Sequence[str], texts: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(head), *(len(line[at]) for line in texts)) for at, head in enumerate(heads)]


def _longest(grid: Grid) -> int:
    return max((len(row.arm) for row in grid.rows), default=0)


def _longest_matching(grid: Grid) -> int:
    return max((len(_matching(row.matching)) for row in grid.rows), default=0)


def _matching(matching: str) -> str:
    return f"matching {matching}" if matching else ""


def _above(name: str, matching: str, right: int, width: int) -> Iterator[str]:
    """The name of an arm, and its matching sparsity at the right, or below if that is too long."""
    *first, last = textwrap.wrap(name, width, subsequent_indent=" " * GAP, break_on_hyphens=False)
    text = _matching(matching)
    yield from first
    if len(last) + GAP + len(text) > right:
        yield last
        yield from [text.rjust(right)] if text else []
    else:
        yield f"{last}{text.rjust(right - len(last)) if text else ''}"


def _line(arm: str, room: int, texts: Sequence[str], widths: Sequence[int]) -> str:
    numbers = "".join(" " * GAP + text.rjust(wide) for text, wide in zip(texts, widths, strict=True))
    return (arm.ljust(room) + numbers).rstrip()
