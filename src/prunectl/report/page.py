"""Results → one HTML page that needs nothing but itself: no network, no server, no other file.

Everything that a study file says is escaped, scripts and styles are named by their hashes in a content security
policy that allows nothing else, and Vega's expressions are interpreted, not evaluated.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup

from prunectl.report import tables, vega
from prunectl.report.charts import Chart, charts, look
from prunectl.report.charts.pieces import Look
from prunectl.report.inert import finite, script_json, shortened, visible
from prunectl.results import summary
from prunectl.results.claims import Detail, Verdict
from prunectl.results.table import Results
from prunectl.results.wording import percent, plural, points

TITLE_LENGTH = 240

SECTIONS = {
    "accuracy": "Accuracy",
    "ablations": "Ablations",
    "masks": "Masks",
    "training": "Training",
    "cost": "Cost",
}
MARKS = {"supported": "✓", "refuted": "✗", "not settled": "?"}

PATHS = {
    "circle": "M7 2a5 5 0 1 0 .01 0z",
    "square": "M2.5 2.5h9v9h-9z",
    "triangle-up": "M7 2l5.5 10h-11z",
    "triangle-down": "M7 12L1.5 2h11z",
    "triangle-right": "M12 7L2 12.500v-11z",
    "triangle-left": "M2 7l10 5.500v-11z",
    "diamond": "M7 1l4.500 6L7 13 2.500 7z",
    "cross": "M5 1.500h4V5h3.500v4H9v3.500H5V9H1.500V5H5z",
}
"""The shapes of charts as SVG paths in a box of 14 × 14, for the page's switches."""


def build(results: Results, verdicts: Sequence[Verdict], published: pl.DataFrame | None = None) -> str:
    """The page. The same results give the same page to the letter."""
    sections = charts(results, verdicts, published)
    drawn = look(results.trials) if not results.trials.is_empty() else None
    specs = {chart.name: packed(chart) for section in sections.values() for chart in section}
    style, script, bundle = _source("page.css"), _source("page.js"), vega.bundle() if specs else ""
    study = results.study
    title = shortened(study.title or study.name, TITLE_LENGTH)
    return _template().render(
        title=title,
        long_title=study.title if len(study.title) > TITLE_LENGTH else "",
        study=study,
        facts=_facts(results),
        sentences=summary.sentences(results.trials),
        verdicts=[_verdict(verdict) for verdict in verdicts],
        sections=[(name, SECTIONS[name], sections[name]) for name in SECTIONS if name in sections],
        claim_charts=sections.get("claims", []),
        switches=_switches(drawn) if drawn and len(drawn.role.hues) > 1 else [],
        grid=tables.grid(results.trials) if results.trials.height else None,
        listing=tables.listing(results.trials),
        resource_heads=tables.RESOURCE_HEADS,
        resource_rows=tables.resource_rows(results.resources),
        resource_sentences=summary.resources(results.resources),
        study_text=results.study_text,
        versions=results.versions,
        specs=Markup(script_json({"hues": list(drawn.role.hues) if drawn else [], "charts": finite(specs)})),
        style=Markup(style),
        script=Markup(script),
        bundle=Markup(bundle),
        policy=policy(style, [bundle, script]),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("prunectl.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.filters["visible_lines"] = lambda text: visible(text, keep="\n\t")
    environment.filters["shortened"] = shortened
    return environment.get_template("page.html.j2")


@cache
def _source(name: str) -> str:
    loader = PackageLoader("prunectl.report")
    return loader.get_source(Environment(autoescape=True), name)[0]


def policy(style: str, scripts: Sequence[str]) -> str:
    """A content security policy for exactly these texts: nothing else runs, and nothing is fetched."""
    allowed = " ".join(_hash(script) for script in scripts if script)
    return f"default-src 'none'; style-src {_hash(style)}; script-src {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def packed(chart: Chart) -> dict[str, Any]:
    """A chart as the page carries it: data by columns, without names in every row."""
    spec = {key: value for key, value in chart.spec.items() if key not in ("$schema", "datasets")}
    return {
        "spec": spec,
        "panel": chart.panel_px,
        "labels": chart.labels_px,
        "data": {name: by_columns(rows) for name, rows in chart.spec.get("datasets", {}).items()},
    }


def by_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows as columns; a column of texts as its distinct texts and a number for each row."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    return {name: _numbered(column) if any(isinstance(v, str) for v in column) else column
            for name, column in columns.items()}  # fmt: skip


def _numbered(column: Sequence[Any]) -> dict[str, list[Any]]:
    numbers = {value: number for number, value in enumerate(dict.fromkeys(column))}
    return {"of": list(numbers), "at": [numbers[value] for value in column]}


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


def _switches(drawn: Look) -> list[dict[str, str]]:
    return [{"hue": hue, "colour": colour, "path": PATHS[drawn.shapes[hue]]} for hue, colour in drawn.colours.items()]


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
