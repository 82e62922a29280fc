"""The report for a terminal: a table that fits its width, small plots, verdicts. Plain text without colours."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from prunectl.base.text import percent, plural
from prunectl.report import tables
from prunectl.results import claims
from prunectl.results.aggregate import roles, summarise
from prunectl.results.claims import Verdict
from prunectl.results.table import Results

MARKS = "●■▲◆✚▼▶◀○□△◇"
PLOT_ROWS = 10
LEAST_ARM = 12
ANSWERS = {"supported": "✓", "refuted": "✗", "not settled": "?"}


def table(results: Results, width: int) -> str:
    """Top-1 accuracy by arm and sparsity, what failed, a plot of the unmodified arms, and the claims' verdicts."""
    width = max(width, 40)
    if results.trials.is_empty():
        return "The study asks for no trial."
    found = claims.verdicts(results.study.claim, results.trials, results.arms)
    parts = [
        "\n".join(_grid(tables.grid(results.trials), width)),
        "\n".join(_failures(results, width)),
        "\n".join(plot(results, width)),
        verdicts(found, width),
    ]
    return "\n\n".join(part for part in parts if part)


def verdicts(found: Sequence[Verdict], width: int) -> str:
    """A line for each claim, and its reason below."""
    lines = []
    for verdict in found:
        lines += wrapped(f"{ANSWERS[verdict.answer]} {verdict.answer}: {verdict.claim.text}", width, first="")
        lines += wrapped(verdict.reason, width)
    return "\n".join(lines)


def wrapped(text: str, width: int, first: str = "    ") -> list[str]:
    """A text in lines that fit, indented."""
    return textwrap.wrap(text, max(width, 30), initial_indent=first, subsequent_indent="    ")


def _grid(grid: tables.Grid, width: int) -> Iterator[str]:
    """The table: with spreads if that fits, else without; in blocks below each other if even that does not fit."""
    seeds = max((cell.of for row in grid.rows for cell in row.cells), default=0)
    longest = max((len(row.arm) for row in grid.rows), default=0)
    for spread in (True, False):
        texts = [[_cell(cell, spread) for cell in row.cells] for row in grid.rows]
        widths = [max(len(head), *(len(row[at]) for row in texts)) for at, head in enumerate(grid.heads)]
        blocks = _blocks(widths, longest, width)
        if len(blocks) < 2:
            break
    told = (
        f"mean of {seeds} seeds{' ± half the 80 % bootstrap interval' if spread else ''}" if seeds > 1 else "one seed"
    )
    yield from wrapped(f"Top-1 accuracy, %, {told}; * is highest", width, first="")
    if grid.dense is not None:
        yield f"dense: {_cell(grid.dense, True)}"
    for block in blocks:
        room = max(LEAST_ARM, min(longest, width - sum(widths[at] + 2 for at in block)))
        yield ""
        yield _line("", room, [grid.heads[at] for at in block], [widths[at] for at in block])
        for row, cells in zip(grid.rows, texts, strict=True):
            yield _line(row.arm, room, [cells[at] for at in block], [widths[at] for at in block])


def _blocks(widths: Sequence[int], longest: int, width: int) -> list[list[int]]:
    """Which columns go side by side: as many as leave room for the arms."""
    arm = min(longest, max(LEAST_ARM, width // 2))
    blocks: list[list[int]] = [[]]
    for at in range(len(widths)):
        if blocks[-1] and arm + sum(widths[other] + 2 for other in [*blocks[-1], at]) > width:
            blocks.append([])
        blocks[-1].append(at)
    return [block for block in blocks if block]


def _line(arm: str, room: int, texts: Iterable[str], widths: Iterable[int]) -> str:
    name = arm if len(arm) <= room else arm[: room - 1] + "…"
    cells = "".join("  " + text.rjust(wide) for text, wide in zip(texts, widths, strict=True))
    return (name.ljust(room) + cells).rstrip()


def _cell(cell: tables.Cell, spread: bool) -> str:
    if cell.center is None:
        return "–"
    half = "" if cell.low is None or cell.high is None or not spread else f" ±{(cell.high - cell.low) * 50:.2f}"
    hole = f" ({cell.n}/{cell.of})" if cell.n < cell.of else ""
    return f"{cell.text}{half}{hole}{'*' if cell.best else ''}"


def _failures(results: Results, width: int) -> Iterator[str]:
    """How many trials are missing and why, the reasons that come most often first."""
    rest = results.trials.filter(pl.col("status") != "done")
    counts = (
        rest.group_by("status", "reason", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    )
    for row in counts.head(5).iter_rows(named=True):
        text = f"{plural(row['len'], 'trial')} {row['status']}" + (f": {row['reason']}" if row["reason"] else "")
        yield from wrapped(text, width, first="")


def plot(results: Results, width: int) -> Iterator[str]:
    """Accuracy of the unmodified arms against sparsity, a mark per arm; nothing for a single sparsity."""
    frame = _plotted(results)
    sparsities = sorted(frame["sparsity"].unique().to_list())
    column = min(12, (width - 10) // max(len(sparsities), 1))
    if len(sparsities) < 2 or column < 5:
        return
    arms = frame["arm"].unique(maintain_order=True).to_list()[: len(MARKS)]
    low, high = min(frame["mean"]), max(frame["mean"])
    step = max(high - low, 1e-6) / (PLOT_ROWS - 1)
    for number, line in enumerate(_canvas(frame, arms, sparsities, column, high, step)):
        label = f"{(high - number * step) * 100:6.1f}" if number % 3 == 0 else " " * 6
        yield f"{label} ┤{line}".rstrip()
    yield " " * 7 + "└" + "─" * (column * len(sparsities))
    yield (" " * 8 + "".join(percent(sparsity).center(column) for sparsity in sparsities)).rstrip()
    for mark, arm in zip(MARKS, arms, strict=False):
        yield f"{mark} {arm}"[:width]


def _plotted(results: Results) -> pl.DataFrame:
    plain = results.trials.filter(pl.col("ablation") == "none")
    return summarise(plain, role=roles(results.trials))


def _canvas(
    frame: pl.DataFrame, arms: Sequence[str], sparsities: Sequence[float], column: int, high: float, step: float
) -> list[str]:
    """The rows of the plot. Marks that would fall on each other stand side by side in the middle of their column."""
    rows = [[""] * len(sparsities) for _ in range(PLOT_ROWS)]
    for row in frame.iter_rows(named=True):
        if row["arm"] in arms:
            mark = MARKS[arms.index(row["arm"])]
            rows[round((high - row["mean"]) / step)][sparsities.index(row["sparsity"])] += mark
    return ["".join(marks[: column - 1].center(column) for marks in row) for row in rows]
