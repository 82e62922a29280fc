"""The report for a terminal: a table that fits its width, a small plot, verdicts. Plain text without colours."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import polars as pl

from prunectl.base.text import percent, plural
from prunectl.report import arms, text_grid, tiles
from prunectl.report.grid import Grid
from prunectl.results import claims, coverage, granting, judgement, summary
from prunectl.results.aggregate import roles, summarise
from prunectl.results.claims import Verdict
from prunectl.results.table import Results
from prunectl.results.verdict_rule import rule

MARKS = "●■▲◆✚▼▶◀○□△◇"
MORE = "+"
"""Instead of the marks that do not fit next to others in the same place."""
PLOT_ROWS = 10
GAP = 2
LEAST_NOTE = 24
"""Minimum width of what explains a figure next to it."""


def table(results: Results, width: int) -> str:
    """Top-1 accuracy by arm and sparsity, failures, a plot of the unmodified arms, and the claims' verdicts."""
    width = max(width, 40)
    if results.trials.is_empty():
        return "The study asks for no trial."
    judged = claims.verdicts(results)
    grid, answer = tiles.of_results(results, judged)
    parts = [
        "\n".join(_head(results, width)),
        "\n".join(_answer(answer, width)),
        "\n".join(_grid(grid, width)) if grid else "",
        "\n".join(line for text in coverage.lacking(results.trials) for line in wrapped(text, width, first="")),
        "\n".join(plot(results, width)),
        "\n".join(
            line
            for remark in summary.remarks(results.trials, results.arms)
            for line in wrapped(remark, width, first="")
        ),
        "\n".join(_judgement(results, width)),
        verdicts(judged, width),
        "\n".join(wrapped(rule(results.study.sweep.looks), width, first=""))
        if any(verdict.details for verdict in judged)
        else "",
        "\n".join(_added_seeds(results, judged, width)),
        "\n".join(wrapped(results.mixture, width, first="")),
    ]
    return "\n\n".join(part for part in parts if part)


def _head(results: Results, width: int) -> Iterator[str]:
    """What was run."""
    yield from wrapped(results.headline, width, first="")
    if results.selection:
        yield from wrapped(f"Run with {results.selection.text}", width, first="")


def _answer(answer: tiles.Answer, width: int) -> Iterator[str]:
    """A line for each figure: what it is, the figure, what explains it."""
    name, figure = (max((len(line[column]) for line in answer.lines), default=0) for column in (0, 1))
    for line in answer.lines:
        start, room = f"{line.name:<{name}}  {line.figure:<{figure}}", width - name - figure - 2 * GAP
        if room < LEAST_NOTE:
            yield from wrapped(f"{line.name}: {line.figure}{f' ({line.note})' if line.note else ''}", width, first="")
            continue
        first, *rest = textwrap.wrap(line.note, room, break_on_hyphens=False) or [""]
        yield f"{start}  {first}".rstrip()
        yield from (" " * (width - room) + text for text in rest)
    yield from (text for note in answer.shared for text in wrapped(note, width, first=""))


def _added_seeds(results: Results, judged: Sequence[Verdict], width: int) -> Iterator[str]:
    for sentence in granting.sentences(results.study, results.trials, judged):
        yield from wrapped(sentence, width, first="")


def _judgement(results: Results, width: int) -> Iterator[str]:
    """What a criterion that is judged is found to be, a question a line and the numbers below."""
    for finding in judgement.findings(results):
        yield from wrapped(f"{finding.question} {finding.answer}", width, first="")
        yield from wrapped(finding.evidence, width)


def verdicts(judged: Sequence[Verdict], width: int) -> str:
    """A line for each claim, and its reason below."""
    lines = []
    for verdict in judged:
        lines += wrapped(f"{tiles.MARKS[verdict.answer]} {verdict.answer}: {verdict.claim.text}", width, first="")
        lines += wrapped(verdict.reason, width)
    return "\n".join(lines)


def wrapped(text: str, width: int, first: str = "    ") -> list[str]:
    """A text in lines that fit, all but the first indented; `first` is the indent of the first."""
    return textwrap.wrap(text, max(width, 30), initial_indent=first, subsequent_indent="    ")


def _grid(grid: Grid, width: int) -> Iterator[str]:
    """The table with what it shows in words; with spreads where these fit."""
    shown = text_grid.layout(grid, width)
    half = f" ± half the {grid.interval}" if shown.spread and grid.interval else ""
    seeds = f"mean of {grid.several_seeds}{half}" if grid.seeds > 1 else "one seed"
    yield from wrapped(f"Top-1 accuracy, %, {seeds}; * is highest", width, first="")
    yield from (f"{name}: {text_grid.cell(cell, True)}" for name, cell in grid.dense.items())
    yield from text_grid.lines(grid, shown, width)
    if grid.chance:
        yield ""
        yield from wrapped(grid.chance, width, first="")
    if shown.matching:
        yield ""
        yield from wrapped(grid.matching, width, first="")


def plot(results: Results, width: int) -> Iterator[str]:
    """Accuracy of the unmodified arms against sparsity, a mark per arm; nothing for a single sparsity.

    With more arms than marks it has those that are the best at some sparsity, then those with the highest mean.
    """
    every = summarise(results.trials.filter(arms.unmodified()), role=roles(results.trials))
    names = _drawn(every)
    frame, left_out = every.filter(pl.col("arm").is_in(names)), every["arm"].n_unique() - len(names)
    sparsities = sorted(frame["sparsity"].unique().to_list())
    column = min(12, (width - 10) // max(len(sparsities), 1))
    if len(sparsities) < 2 or column < 5:
        return
    low, high = min(frame["mean"]), max(frame["mean"])
    step = max(high - low, 1e-6) / (PLOT_ROWS - 1)
    canvas = _canvas(frame, names, sparsities, column, high, step)
    for number, line in enumerate(canvas):
        label = f"{(high - number * step) * 100:6.1f}" if number % 3 == 0 else " " * 6
        yield f"{label} ┤{line}".rstrip()
    yield " " * 7 + "└" + "─" * (column * len(sparsities))
    yield (" " * 8 + "".join(percent(sparsity).center(column) for sparsity in sparsities)).rstrip()
    for mark, arm in zip(MARKS, names, strict=False):
        yield from wrapped(f"{mark} {arm}", width, first="")
    if any(MORE in line for line in canvas):
        yield from wrapped(f"{MORE} more marks in the same place than fit", width, first="")
    if left_out:
        yield from wrapped(
            f"and {plural(left_out, 'more arm')} without a mark: the table has all arms", width, first=""
        )


def _drawn(frame: pl.DataFrame) -> list[str]:
    """The arms that have a mark, in the order of the study: as many as there are marks."""
    names = frame["arm"].unique(maintain_order=True).to_list()
    firsts = frame.filter(pl.col("mean") == pl.col("mean").max().over("sparsity"))["arm"].value_counts()
    best = dict(firsts.iter_rows())
    overall = dict(frame.group_by("arm").agg(pl.col("mean").mean()).iter_rows())
    kept = sorted(names, key=lambda name: (-best.get(name, 0), -overall[name]))[: len(MARKS)]
    return [name for name in names if name in kept]


def _canvas(
    frame: pl.DataFrame, names: Sequence[str], sparsities: Sequence[float], column: int, high: float, step: float
) -> list[str]:
    """The rows of the plot. Marks in the same place are written next to each other, in the middle of their column."""
    rows = [[""] * len(sparsities) for _ in range(PLOT_ROWS)]
    for row in frame.iter_rows(named=True):
        if row["arm"] in names:
            mark = MARKS[names.index(row["arm"])]
            rows[round((high - row["mean"]) / step)][sparsities.index(row["sparsity"])] += mark
    return ["".join(_fitting(marks, column - 1).center(column) for marks in row) for row in rows]


def _fitting(marks: str, room: int) -> str:
    return marks if len(marks) <= room else marks[: room - 1] + MORE
