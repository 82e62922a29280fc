"""Several studies on one page: networks of one paper next to each other, then each study's summary, claims, table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import and_list, distinct, span
from prunectl.report import published_tables, shell
from prunectl.report.charts import accuracy
from prunectl.report.charts import several as charts
from prunectl.report.charts.chart import Chart
from prunectl.report.charts.look import Look
from prunectl.report.tiles import MARKS, of_results
from prunectl.results import coverage, granting, judgement
from prunectl.results.claims import verdicts
from prunectl.results.statistics import Center
from prunectl.results.table import Results

LONGEST = 150
"""Maximum length of a heading of all titles."""
NAME_LENGTH = 60
"""Maximum length of the name of a study above its panel and in links."""


def build(studies: Sequence[Results], *, center: Center = "mean") -> str:
    """The page. The same results always give the same page, byte for byte."""
    titles, names = _titles(studies), _names(studies)
    done = [study for study in studies if study.trials["top1"].is_not_null().any()]
    look = charts.look_of(done, center) if done else None
    named = {name: study for name, study in zip(names, studies, strict=True) if study in done}
    drawn = [charts.against_compression(named, look)] if look else []
    found = [chart for chart in drawn if chart is not None]
    sections = [
        _study(at, title, study, center, look) | {"link": name}
        for at, (title, name, study) in enumerate(zip(titles, names, studies, strict=True), 1)
    ]
    return shell.rendered(
        "several.html.j2",
        [*found, *(section["marked"] for section in sections if section["marked"])],
        look,
        title=_title(titles, names),
        facts=[("studies", str(len(studies)))],
        figures=found,
        studies=sections,
    )


def _title(titles: Sequence[str], names: Sequence[str]) -> str:
    """The titles of all studies, or their names where these titles are too long for a heading."""
    together = and_list(titles)
    return together if len(together) <= LONGEST else and_list(names)


def _titles(studies: Sequence[Results]) -> Sequence[str]:
    """What each study is called: its headline, with its name where two have the same."""
    titles = [study.headline for study in studies]
    full = [
        f"{title} ({study.study.name})" if titles.count(title) > 1 else title
        for title, study in zip(titles, studies, strict=True)
    ]
    return _distinct(full, shell.TITLE_LENGTH)


def _names(studies: Sequence[Results]) -> Sequence[str]:
    """The name of each study, for panels and links; that of a profile has the profile in it."""
    names = []
    for study in studies:
        name, profile = study.study.name, study.selection.profile
        names.append(name if profile is None or profile in name else f"{name} · {profile}")
    return _distinct(names, NAME_LENGTH)


def _distinct(texts: Sequence[str], length: int) -> Sequence[str]:
    """The texts, with their number where several are the same; those longer than `length` are cut."""
    numbered = [f"{text} {at}" if texts.count(text) > 1 else text for at, text in enumerate(texts, 1)]
    short = distinct(numbered, length)
    return [short[text] for text in numbered]


def _marked(at: int, results: Results, look: Look | None) -> Chart | None:
    """Accuracy with the published numbers that the study is held against as marks; nothing without such numbers."""
    published = published_tables.numbers(results)
    if look is None or published is None or published.is_empty() or results.trials["top1"].is_null().all():
        return None
    chart = accuracy.against_compression(results.trials, look, published=published)
    return replace(chart, name=f"study-{at}-{chart.name}") if chart else None


def _study(at: int, title: str, results: Results, center: Center, look: Look | None) -> dict[str, Any]:
    trials, judged = results.trials, verdicts(results)
    grid, answer = of_results(results, judged, center)
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
        "unfinished": coverage.missing(trials),
        "answer": answer,
        "marked": _marked(at, results, look),
        "published": published_tables.of_study(results, f"study-{at}-published"),
        "verdicts": [
            {"text": each.claim.text, "answer": each.answer, "mark": MARKS[each.answer], "reason": each.reason}
            for each in judged
        ],
        "judged": results.study.report.judged,
        "findings": judgement.findings(results),
        "grid": grid,
        "text": results.study_text,
    }
