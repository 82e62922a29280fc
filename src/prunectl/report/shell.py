"""What every page is made with: one file that needs no network, no server and no other file.

Texts of a study file are escaped, a content security policy allows only the page's own scripts and styles, which it
names by their hashes, and Vega's expressions are interpreted, not evaluated. Vega, and the data of large studies, are
compressed; the page's script unpacks them in the browser. Tables are plain HTML and need no script.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from prunectl.base.text import finite, shortened, visible
from prunectl.report import vega
from prunectl.report.charts import Chart
from prunectl.report.charts.chart import laid_out
from prunectl.report.charts.look import Look
from prunectl.report.inert import script_json

TITLE_LENGTH = 240
"""Maximum length of a heading. The rest of a longer title is in its tooltip."""

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
"""The shapes of charts as SVG paths in a box of 14 × 14, for the page's switches and lists of lines."""


PLAIN_BYTES = 250_000
"""Data of charts that take no more than this are readable in the source of a page; larger data are compressed."""


def rendered(
    template: str, charts: Sequence[Chart], look: Look | None, *,
    title: str, source: str = "", facts: Sequence[tuple[str, str]] = (), reload_s: int = 0, **values: Any,
) -> str:  # fmt: skip
    """A page from a template that extends base.html.j2, with switches for the hues of the look.

    The same values and charts always give the same page, byte for byte.
    """
    specs = {chart.name: packed(chart) for chart in charts}
    style, script, bundle = _text("page.css"), _text("page.js"), vega.bundle() if specs else ""
    hues = list(look.role.hues) if look else []
    data = script_json({"hues": hues, "charts": finite(specs)})
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            title=shortened(title, TITLE_LENGTH),
            long_title=title if len(title) > TITLE_LENGTH else "",
            source=source,
            facts=facts,
            reload_s=reload_s,
            switches=_switches(look) if look else [],
            data=Markup(data if len(data) <= PLAIN_BYTES else compressed(data)),
            data_kind="application/json" if len(data) <= PLAIN_BYTES else COMPRESSED,
            style=Markup(style),
            script=Markup(script),
            bundle=Markup(compressed(bundle)) if bundle else "",
            compressed=COMPRESSED,
            policy=policy(style, [bundle, script]),
        )
    )


def _switches(look: Look) -> list[dict[str, str]]:
    """A switch for each hue, if there are several."""
    switches = [{"hue": hue, "colour": look.colours[hue], "path": PATHS[look.shapes[hue]]} for hue in look.role.hues]
    return switches if len(switches) > 1 else []


@cache
def _environment() -> Environment:
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
    return environment


@cache
def _text(name: str) -> str:
    loader = PackageLoader("prunectl.report")
    return loader.get_source(Environment(autoescape=True), name)[0]


def policy(style: str, scripts: Sequence[str]) -> str:
    """A content security policy for exactly these texts: nothing else runs, and nothing is fetched."""
    allowed = " ".join(_hash(script) for script in scripts if script)
    return f"default-src 'none'; style-src {_hash(style)}; script-src {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


COMPRESSED = "application/gzip;base64"
"""The type of a script element that holds a compressed text: browsers neither run nor show it."""


@lru_cache(maxsize=2)
def compressed(text: str) -> str:
    """The text with gzip and base64. The same text always gives the same result."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def packed(chart: Chart) -> dict[str, Any]:
    """A chart as the page carries it: its data by columns, so that names are not repeated in every row."""
    spec = {key: value for key, value in chart.spec.items() if key not in ("$schema", "datasets")}
    return {
        "spec": laid_out(spec),
        "panel": chart.panel_px,
        "labels": chart.labels_px,
        "names": [[name.text, name.colour, list(name.dash), PATHS.get(name.shape, "")] for name in chart.names],
        "data": {name: by_columns(rows) for name, rows in chart.spec.get("datasets", {}).items()},
    }


def by_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows as columns. A column of texts becomes its distinct texts (`of`) and an index for each row (`at`)."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    return {name: _indexed(column) if any(isinstance(v, str) for v in column) else column
            for name, column in columns.items()}  # fmt: skip


def _indexed(column: Sequence[Any]) -> dict[str, list[Any]]:
    numbers = {value: number for number, value in enumerate(dict.fromkeys(column))}
    return {"of": list(numbers), "at": [numbers[value] for value in column]}
