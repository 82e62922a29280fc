"""Several studies on one page: networks of one paper next to each other, then each study's summary, claims, table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import and_list, distinct, span
from prunectl.report import shell, tables
from prunectl.report.charts import several as charts
from prunectl.report.tiles import MARKS
from prunectl.results import granting, judgement, matching_words, summary
from prunectl.results.aggregate import given_names
from prunectl.results.claims import verdicts
from prunectl.results.statistics import Center
from prunectl.results.table import Results


def build(studies: Sequence[Results], *, center: Center = "mean") -> str:
    """The page. The same results always give the same page, byte for byte."""
    titles = list(_titles(studies))
    done = [study for study in studies if study.trials["top1"].is_not_null().any()]
    look = charts.look_of(done, center) if done else None
    named = {title: study for title, study in zip(titles, studies, strict=True) if study in done}
    drawn = [charts.against_compression(named, look)] if look else []
    found = [chart for chart in drawn if chart is not None]
    return shell.rendered(
        "several.html.j2",
        found,
        look,
        title=and_list(titles),
        facts=[("studies", str(len(studies)))],
        figures=found,
        studies=[
            _study(at, title, study, center) for at, (title, study) in enumerate(zip(titles, studies, strict=True), 1)
        ],
    )


def _titles(studies: Sequence[Results]) -> Sequence[str]:
    """What each study is called: its title, with its name where two have the same."""
    titles = [study.study.title or study.study.name for study in studies]
    full = [
        f"{title} ({study.study.name})" if titles.count(title) > 1 else title
        for title, study in zip(titles, studies, strict=True)
    ]
    numbered = [f"{title} {at}" if full.count(title) > 1 else title for at, title in enumerate(full, 1)]
    short = distinct(numbered, 90)
    return [short[title] for title in numbered]


def _study(at: int, title: str, results: Results, center: Center) -> dict[str, Any]:
    trials, judged = results.trials, verdicts(results)
    grid = tables.grid(trials, center, results.study.report.matching_margin) if trials.height else None
    return {
        "id": f"study-{at}",
        "title": title,
        "name": results.study.name,
        "restricted": results.selection.text,
        "network": ", ".join(map(words, trials["model"].drop_nulls().unique(maintain_order=True))),
        "data": ", ".join(map(words, trials["dataset"].drop_nulls().unique(maintain_order=True))),
        "trials": f"{trials.filter(pl.col('status') == 'done').height:,} of {trials.height:,}",
        "seeds": span(granting.seeds_by_arm(trials).values()),
        "dense": "; ".join(cell.with_spread for cell in grid.dense.values()) if grid else "",
        "unfinished": summary.missing(trials),
        "sentences": (
            *summary.sentences(trials, center, given_names(results.arms)),
            *matching_words.sentences(results),
            *granting.sentences(results.study, trials, judged),
            *summary.remarks(trials, results.arms),
            *([results.mixture] if results.mixture else []),
        ),
        "verdicts": [
            {"text": each.claim.text, "answer": each.answer, "mark": MARKS[each.answer], "reason": each.reason}
            for each in judged
        ],
        "judged": results.study.report.judged,
        "findings": judgement.findings(results),
        "grid": grid,
        "text": results.study_text,
    }
