"""The report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from prunectl.base.text import visible
from prunectl.report import published_tables, tables, tiles
from prunectl.report.grid import Grid
from prunectl.results import coverage, judgement, summary
from prunectl.results.claims import Verdict, verdicts
from prunectl.results.published.against import Held, held_sentences
from prunectl.results.statistics import Center
from prunectl.results.table import Results
from prunectl.results.verdict_rule import rule


def report(results: Results, center: Center) -> str:
    """The answer, verdicts, accuracy by arm and sparsity, published numbers, resources and versions."""
    study = results.study
    judged = verdicts(results)
    grid, answer = tiles.of_results(results, judged, center)
    parts = [
        f"# {escaped(results.headline)}",
        escaped(study.source),
        f"Run with {escaped(results.selection.text)}." if results.selection else "",
        coverage.coverage(results.trials) if grid else "",
        *_answer(answer),
        *(["## Claims", rule(study.sweep.looks), _items([_verdict(verdict) for verdict in judged])] if judged else []),
        *(["## Top-1 accuracy, %", _grid(grid)] if grid else []),
        _items(list(map(escaped, coverage.lacking(results.trials)))),
        *(part for held in published_tables.held_by(results) for part in _published(held)),
        *_judgement(results),
        "## Resources",
        _items(summary.resources(results.resources)),
        _table(tables.RESOURCE_HEADS, [list(map(escaped, row)) for row in tables.resource_rows(results.resources)]),
        "## Versions",
        ", ".join(f"{escaped(name)} {escaped(text)}" for name, text in results.versions.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _judgement(results: Results) -> list[str]:
    rows = [[finding.question, finding.answer, finding.evidence] for finding in judgement.findings(results)]
    if not rows:
        return []
    heads = ["question", "answer", "evidence"]
    return [
        f"## {escaped(results.study.report.judged)}, judged",
        _table(heads, [list(map(escaped, row)) for row in rows]),
    ]


def _answer(answer: tiles.Answer) -> Iterator[str]:
    """The figures, the best arm at each sparsity, and the sentences that no figure replaces."""
    yield _items([_tile(tile) for tile in (answer.tiles if not answer.best else (*answer.dense, *answer.others))])
    yield _table(tiles.BEST_HEADS, [[*map(escaped, row)] for row in tiles.best_rows(answer.best)], (1, 4, 6))
    yield f"{escaped(answer.chance)}." if answer.chance else ""
    yield _items([escaped(note) for note in (*answer.shared, *answer.notes)])


def _tile(tile: tiles.Tile) -> str:
    note = f" ({escaped(tile.note)})" if tile.note else ""
    return f"{escaped(tile.name)}: **{escaped(tile.figure)}**{note}"


def _published(held: Held) -> Iterator[str]:
    """A published table next to the study: what it is, what to mind, and a row for each number."""
    about = held.about
    yield f"## Published numbers: {escaped(about.title)}"
    yield escaped(held.name if held.name == about.source else f"{held.name}: {about.source}")
    yield f"Mind: {escaped(about.warning)}" if about.warning else ""
    yield escaped(" ".join(held_sentences(held)))
    noted = any(row["note"] for row in held.rows)
    rows = [
        [arm, *tables.published(row), tables.within(row), *([row["note"] or ""] if noted else [])]
        for arm, row in zip(tables.published_arms(held), held.rows, strict=True)
    ]
    heads = ["arm", *tables.published_heads("ours"), "holds it", *(["note"] if noted else [])]
    yield _table(heads, [list(map(escaped, row)) for row in rows], (0, len(heads) - 1))
    yield f"{escaped(chance)}." if (chance := tables.chance_of_published(held)) else ""


def escaped(text: str) -> str:
    """Text in one line that neither Markdown nor HTML interprets."""
    return re.sub(r"([\\`*_\[\]<>|#&])", r"\\\1", visible(text))


def _items(texts: Sequence[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _verdict(verdict: Verdict) -> str:
    return f"**{verdict.answer}**: {escaped(verdict.claim.text)}. {escaped(verdict.reason)}."


def _grid(grid: Grid) -> str:
    rows = [
        [
            escaped(row.arm),
            *(f"**{cell.with_spread}**" if cell.best else cell.with_spread for cell in row.cells),
            *([escaped(row.matching)] if grid.matching else []),
        ]
        for row in grid.ranked
    ]
    heads = ["arm", *grid.heads, *(["matching"] if grid.matching else [])]
    dense = "".join(f"{escaped(name.capitalize())}: {cell.with_spread}. " for name, cell in grid.dense.items())
    note = (
        f"The {grid.of} over the seeds{f'; in brackets the {grid.interval}' if grid.interval else ''}. "
        f"Bold: the highest of its column. {grid.matching}"
    ).rstrip()
    chance = f"\n\n{escaped(grid.chance)}." if grid.chance else ""
    return f"{_table(heads, rows)}\n\n{dense}{note}{chance}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[int] = (0,)) -> str:
    """A table of escaped texts; nothing without rows. Columns are of numbers, except those in `texts`."""
    if not rows:
        return ""
    lines = [heads, ["---" if at in texts else "--:" for at in range(len(heads))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
