"""The answer at a glance: a few figures at the head of a page, and the best unmodified arm at each sparsity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from prunectl.base.text import percent
from prunectl.report import cells
from prunectl.report.tables import Grid
from prunectl.results.claims import Verdict
from prunectl.results.judging import Outcome
from prunectl.results.ranking import Best

MARKS: dict[Outcome, str] = {"supported": "✓", "refuted": "✗", "not settled": "?", "not asked": "–"}
"""What stands before each answer to a claim."""
MOST_ROWS = 12
"""Maximum number of sparsities in the table of the best arms."""


def tiles(grid: Grid, best: Sequence[Best], verdicts: Sequence[Verdict]) -> Iterator[tuple[str, str, str]]:
    """Name, figure and explanation of each tile. Ablated arms are no answer, and are left out of the best."""
    for name, cell in grid.dense.items():
        if cell.text != cells.MISSING and not name.startswith("dense ·"):
            yield f"{name}, top-1", f"{cell.text} %", cell.spread
    if best:
        last = best[-1]
        yield f"best unmodified arm at {percent(last.sparsity)}", f"{percent(last.center, 2)}", last.arm
    plain = [row for row in grid.ranked if row.furthest and row.ablation == "none"]
    furthest = max(plain, key=lambda row: row.furthest or 0.0, default=None)
    if furthest is not None:
        yield "matches the dense network up to", percent(furthest.furthest), furthest.arm
    if verdicts:
        counts = Counter(verdict.answer for verdict in verdicts)
        text = "  ".join(f"{MARKS[answer]} {counts[answer]}" for answer in MARKS if counts[answer])
        yield "claims", text, ", ".join(f"{counts[answer]} {answer}" for answer in MARKS if counts[answer])


def best_rows(best: Sequence[Best]) -> list[tuple[str, ...]]:
    """Sparsity, best arm, its accuracy and interval, the next arm with its accuracy, and whether they differ."""
    return [
        (
            percent(row.sparsity), row.arm, cells.accuracy(row.center),
            "" if row.low is None else cells.between(row.low, row.high),
            row.next, cells.accuracy(row.next_center), row.lead.replace(" seed by seed", ""),
        )
        for row in best
    ]  # fmt: skip
