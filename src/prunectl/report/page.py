"""Results → the page of a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from prunectl.base.cells import words
from prunectl.base.text import count, percent, plural, span
from prunectl.catalog.metric import Metric
from prunectl.report import cells, published_tables, shell, tables
from prunectl.report.charts import charts, look
from prunectl.report.tiles import MARKS, of_results
from prunectl.results import coverage, granting, judgement, summary
from prunectl.results.aggregate import given_names
from prunectl.results.claims import Verdict
from prunectl.results.reasons import Detail
from prunectl.results.statistics import Center, Interval
from prunectl.results.table import Results
from prunectl.results.verdict_rule import rule

SECTIONS = {
    "accuracy": "Accuracy",
    "ablations": "Ablations",
    "masks": "Masks",
    "training": "Training",
    "cost": "Cost",
}


def build(
    results: Results,
    verdicts: Sequence[Verdict],
    published: pl.DataFrame | None = None,
    *,
    center: Center = "mean",
    written: str = "",
    reload_s: int = 0,
) -> str:
    """The page, with accuracies as means or medians. The same results always give the same page, byte for byte.

    While trials are missing, it shows that and when it was `written`; with `reload_s` it reloads itself at that
    interval.
    """
    sections = charts(results, verdicts, published, center)
    study, trials = results.study, results.trials
    names = given_names(results.arms)
    grid, answer = of_results(results, verdicts, center)
    return shell.rendered(
        "page.html.j2",
        [chart for section in sections.values() for chart in section],
        look(trials, center, names, results.task) if trials.height else None,
        title=results.headline,
        source=study.source,
        facts=_facts(results),
        reload_s=reload_s,
        unfinished=coverage.missing(trials),
        written=written,
        answer=answer,
        judged=study.report.judged,
        findings=judgement.findings(results),
        rule=rule(study.sweep.looks),
        verdicts=[_verdict(verdict) for verdict in verdicts],
        sections=[(name, head, sections[name]) for name, head in SECTIONS.items() if name in sections],
        claim_charts=sections.get("claims", []),
        grid=grid,
        published=published_tables.of_study(results),
        listing=tables.listing(trials),
        resource_heads=tables.RESOURCE_HEADS,
        resource_rows=tables.resource_rows(results.resources),
        resource_sentences=summary.resources(results.resources),
        study_text=results.study_text,
        versions=results.versions,
    )


def _facts(results: Results) -> list[tuple[str, str]]:
    """The line under the title."""
    trials = results.trials
    sizes = trials["n_params"].drop_nulls().unique().to_list()
    size = f", {count(sizes[0])} parameters" if len(sizes) == 1 else ""
    models, data = (trials[name].drop_nulls().unique(maintain_order=True).to_list() for name in ("model", "dataset"))
    done = trials.filter(pl.col("status") == "done").height
    facts = [
        ("study", results.study.name),
        ("run with", results.selection.text),
        ("network", ", ".join(map(words, models)) + size),
        ("data", ", ".join(map(words, data))),
        ("trials", f"{done:,} of {trials.height:,} done"),
        ("seeds", span(granting.seeds_by_arm(trials).values())),
        ("made with", f"prunectl {results.versions['prunectl']}" if "prunectl" in results.versions else ""),
    ]
    return [(name, text) for name, text in facts if text]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    claim = verdict.claim
    return {
        "text": claim.text,
        "answer": verdict.answer,
        "mark": MARKS[verdict.answer],
        "reason": verdict.reason,
        "margin": claim.metric.difference(claim.margin, unit=False),
        "unit": claim.metric.differences().name,
        "supports": percent(verdict.supports),
        "level": percent(verdict.level) if len(verdict.details) > 1 else "",
        "arms": any(detail.arm for detail in verdict.details),
        "details": [_detail(detail, claim.metric) for detail in verdict.details],
        "behind": " ".join(key[:12] for key in verdict.artefacts),
        "trials": plural(len(verdict.artefacts), "trained network"),
    }


def _detail(detail: Detail, metric: Metric) -> dict[str, str]:
    def between(interval: Interval | None) -> str:
        bounds = (interval.low, interval.high) if interval else ()
        return " to ".join(metric.difference(bound, unit=False) for bound in bounds) or cells.MISSING

    guess = f" ({detail.guessing} at chance)" if detail.guessing else ""
    return {
        "arm": detail.arm,
        "sparsity": f"{'up to ' if metric.swept else ''}{percent(detail.sparsity)}",
        "difference": cells.MISSING if detail.difference is None else metric.difference(detail.difference, unit=False),
        "interval": between(detail.interval),
        "refuting": between(detail.refuting),
        "n": str(detail.n),
        "mark": MARKS[detail.answer],
        "answer": f"{detail.answer}: {detail.idle}" if detail.idle else f"{detail.answer}{guess}",
    }
