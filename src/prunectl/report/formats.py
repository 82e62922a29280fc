"""The formats of a report: a page, tables for programs, tables for papers, pictures.

Importing this module loads neither polars nor Altair, because `--help` lists the formats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prunectl.report.unknown import unknown

if TYPE_CHECKING:
    import polars as pl

    from prunectl.results.statistics import Center
    from prunectl.results.table import Results


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format: how results are written in it, and what goes with it."""

    write: Callable[[Results, Center, str | None], str | bytes]
    suffix: str
    """The usual suffix of a file's name, without the dot."""
    picture: bool = False
    """Whether it is a picture of charts, of which one can be chosen."""
    every_trial: bool = False
    """Whether it holds every trial, and so no mean or median over them."""


def render(results: Results, format: str, *, chart: str | None = None, center: Center = "mean") -> str | bytes:
    """The results in a format: text for html, md, csv, json, latex and svg, bytes for the others.

    Pictures hold all charts below each other, or only the named one. Accuracies over several seeds are means or
    medians, except in tables for programs, which hold every trial. Raises PrunectlError for an unknown format or
    chart.
    """
    if format not in FORMATS:
        raise unknown("format", format, list(FORMATS))
    return FORMATS[format].write(results, center, chart)


def html(results: Results, center: Center = "mean", *, written: str = "", reload_s: int = 0) -> str:
    """The page. While the study is not finished, it shows when it was `written`, and with `reload_s` it reloads
    itself at that interval.
    """
    from prunectl.report import page
    from prunectl.results.claims import verdicts

    judged = verdicts(results)
    return page.build(results, judged, published(results), center=center, written=written, reload_s=reload_s)


def published(results: Results) -> pl.DataFrame | None:
    """Those of the published numbers named in the study that are about its network and data set."""
    from prunectl.report import published_tables

    return published_tables.numbers(results)


def _page(results: Results, center: Center, chart: str | None) -> str:
    return html(results, center)


def _markdown(results: Results, center: Center, chart: str | None) -> str:
    from prunectl.report import markdown

    return markdown.report(results, center)


def _latex(results: Results, center: Center, chart: str | None) -> str:
    from prunectl.report import latex

    return latex.table(results, center)


def _csv(results: Results, center: Center, chart: str | None) -> str:
    from prunectl.results import table_files

    return table_files.to_csv(results.trials)


def _json(results: Results, center: Center, chart: str | None) -> str:
    from prunectl.results import document

    return document.to_json(results)


def _parquet(results: Results, center: Center, chart: str | None) -> bytes:
    from prunectl.results import table_files

    return table_files.to_parquet(results.trials)


def _svg(results: Results, center: Center, chart: str | None) -> str:
    from prunectl.report import pictures

    return pictures.svg(results, published(results), center, chart)


def _png(results: Results, center: Center, chart: str | None) -> bytes:
    from prunectl.report import pictures

    return pictures.png(results, published(results), center, chart)


def _pdf(results: Results, center: Center, chart: str | None) -> bytes:
    from prunectl.report import pictures

    return pictures.pdf(results, published(results), center, chart)


FORMATS = {
    "html": Format(write=_page, suffix="html"),
    "md": Format(write=_markdown, suffix="md"),
    "csv": Format(write=_csv, suffix="csv", every_trial=True),
    "json": Format(write=_json, suffix="json", every_trial=True),
    "parquet": Format(write=_parquet, suffix="parquet", every_trial=True),
    "latex": Format(write=_latex, suffix="tex"),
    "svg": Format(write=_svg, suffix="svg", picture=True),
    "png": Format(write=_png, suffix="png", picture=True),
    "pdf": Format(write=_pdf, suffix="pdf", picture=True),
}
"""Every format of a report, by its name."""
