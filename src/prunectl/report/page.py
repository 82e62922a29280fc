"""Results → the page of a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from prunectl.base.text import percent, plural, points, shortened
from prunectl.report import shell, tables
from prunectl.report.charts import charts, look
from prunectl.results import summary
from prunectl.results.claims import Detail, Verdict
from prunectl.results.statistics import Center
from prunectl.results.table import Results

TITLE_LENGTH = 240

SECTIONS = {
    "accuracy": "Accuracy",
    "ablations": "Ablations",
    "masks": "Masks",
    "training": "Training",
    "cost": "Cost",
}
MARKS = {"supported": "✓", "refuted": "✗", "not settled": "?"}


def build(
    results: Results,
    verdicts: Sequence[Verdict],
    published: pl.DataFrame | None = None,
    *,
    center: Center = "mean",
    written: str = "",
    reload_s: int = 0,
) -> str:
    """The page, with accuracies as means or medians. The same results give the same page to the letter.

    While trials are missing it says so, and that it is as of `written`; with `reload_s` it loads itself again.
    """
    sections = charts(results, verdicts, published, center)
    drawn = look(results.trials, center) if not results.trials.is_empty() else None
    hues = drawn.role.hues if drawn else ()
    study = results.study
    title = shortened(study.title or study.name, TITLE_LENGTH)
    return shell.dressed(
        "page.html.j2",
        [chart for section in sections.values() for chart in section],
        hues,
        title=title,
        long_title=study.title if len(study.title) > TITLE_LENGTH else "",
        source=study.source,
        facts=_facts(results),
        unfinished=summary.missing(results.trials),
        written=written,
        reload_s=reload_s,
        sentences=summary.sentences(results.trials, center),
        verdicts=[_verdict(verdict) for verdict in verdicts],
        sections=[(name, SECTIONS[name], sections[name]) for name in SECTIONS if name in sections],
        claim_charts=sections.get("claims", []),
        switches=shell.switches(hues, drawn.colours, drawn.shapes) if drawn else [],
        grid=tables.grid(results.trials, center) if results.trials.height else None,
        listing=tables.listing(results.trials),
        resource_heads=tables.RESOURCE_HEADS,
        resource_rows=tables.resource_rows(results.resources),
        resource_sentences=summary.resources(results.resources),
        study_text=results.study_text,
        versions=results.versions,
    )


def _facts(results: Results) -> list[tuple[str, str]]:
    """The line under the title."""
    trials, study = results.trials, results.study
    models = [str(name) for name in trials["model"].unique(maintain_order=True).drop_nulls()]
    data = [str(name) for name in trials["dataset"].unique(maintain_order=True).drop_nulls()]
    done = trials.filter(pl.col("status") == "done").height
    found = [
        ("study", study.name),
        ("network", ", ".join(models)),
        ("data", ", ".join(data)),
        ("trials", f"{done:,} of {trials.height:,} done"),
        ("seeds", str(trials["seed"].n_unique())),
        ("made with", f"prunectl {results.versions['prunectl']}" if "prunectl" in results.versions else ""),
    ]
    return [(name, text) for name, text in found if text]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    claim = verdict.claim
    return {
        "text": claim.text,
        "answer": verdict.answer,
        "mark": MARKS[verdict.answer],
        "reason": verdict.reason,
        "margin": points(claim.margin, sign=True),
        "arms": any(detail.arm for detail in verdict.details),
        "details": [_detail(detail) for detail in verdict.details],
        "behind": " ".join(key[:12] for key in verdict.artefacts),
        "trials": plural(len(verdict.artefacts), "trained network"),
    }


def _detail(detail: Detail) -> dict[str, str]:
    interval = detail.interval
    return {
        "arm": detail.arm,
        "sparsity": percent(detail.sparsity),
        "difference": "–" if detail.difference is None else points(detail.difference, sign=True, unit=False),
        "interval": "–" if interval is None
        else " to ".join(points(bound, sign=True, unit=False) for bound in (interval.low, interval.high)),
        "n": str(detail.n),
        "mark": MARKS[detail.answer],
        "answer": detail.answer,
    }  # fmt: skip
