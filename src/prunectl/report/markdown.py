"""The report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prunectl.base.text import visible
from prunectl.report import tables
from prunectl.results import granting, judgement, matching_words, summary
from prunectl.results.aggregate import given_names
from prunectl.results.claims import Verdict, verdicts
from prunectl.results.judging import rule
from prunectl.results.statistics import Center
from prunectl.results.table import Results


def report(results: Results, center: Center) -> str:
    """Sentences, verdicts, accuracy by arm and sparsity, resources and versions."""
    study = results.study
    judged = verdicts(results)
    grid = tables.grid(results.trials, center, study.report.matching_margin)
    parts = [
        f"# {escaped(study.title or study.name)}",
        escaped(study.source),
        f"Restricted to {escaped(results.selection.text)}." if results.selection else "",
        _items([escaped(sentence) for sentence in _sentences(results, judged, center)]),
        escaped(results.mixture),
        *(["## Claims", rule(study.sweep.looks), _items([_verdict(verdict) for verdict in judged])] if judged else []),
        *(["## Top-1 accuracy, %", _grid(grid)] if results.trials.height else []),
        _items(list(map(escaped, summary.lacking(results.trials)))),
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


def _sentences(results: Results, judged: Sequence[Verdict], center: Center) -> tuple[str, ...]:
    return (
        *summary.sentences(results.trials, center, given_names(results.arms)),
        *matching_words.sentences(results),
        *granting.sentences(results.study, results.trials, judged),
        *summary.remarks(results.trials, results.arms),
    )


def escaped(text: str) -> str:
    """Text in one line that neither Markdown nor HTML interprets."""
    return re.sub(r"([\\`*_\[\]<>|#&])", r"\\\1", visible(text))


def _items(texts: Sequence[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _verdict(verdict: Verdict) -> str:
    return f"**{verdict.answer}**: {escaped(verdict.claim.text)}. {escaped(verdict.reason)}."


def _grid(grid: tables.Grid) -> str:
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
    return f"{_table(heads, rows)}\n\n{dense}{note}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of escaped texts; nothing without rows."""
    if not rows:
        return ""
    lines = [heads, ["---"] + ["--:"] * (len(heads) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
