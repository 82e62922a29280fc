"""Charts as pictures: all of a study's below each other, or one of them."""

from __future__ import annotations

from typing import Any

import polars as pl

from prunectl.base.errors import PrunectlError
from prunectl.base.text import finite
from prunectl.report.charts import Chart, charts, stacked
from prunectl.report.charts.chart import laid_out
from prunectl.report.unknown import unknown
from prunectl.results.claims import verdicts
from prunectl.results.statistics import Center
from prunectl.results.table import Results


def drawn(chart: Chart | None, format: str) -> str | bytes:
    """One chart as SVG or PNG. Raises PrunectlError if there is none."""
    import vl_convert

    if chart is None:
        raise _nothing()
    spec = finite(laid_out(stacked([chart])))
    if format == "svg":
        return str(vl_convert.vegalite_to_svg(spec))
    return bytes(vl_convert.vegalite_to_png(spec, scale=2))


def svg(results: Results, published: pl.DataFrame | None, center: Center, chart: str | None) -> str:
    """The charts, or only the named one, as SVG. Raises PrunectlError for an unknown name, or if there is none."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_spec(results, published, center, chart)))


def png(results: Results, published: pl.DataFrame | None, center: Center, chart: str | None) -> bytes:
    """The same as PNG, with two pixels for each of the page's."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(_spec(results, published, center, chart), scale=2))


def pdf(results: Results, published: pl.DataFrame | None, center: Center, chart: str | None) -> bytes:
    """The same as PDF, on one page of the size of the charts."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_pdf(_spec(results, published, center, chart)))


def _spec(results: Results, published: pl.DataFrame | None, center: Center, name: str | None) -> Any:
    sections = charts(results, verdicts(results), published, center, secondary=name is not None)
    named = {chart.name: chart for section in sections.values() for chart in section}
    if not named:
        raise _nothing()
    if name is not None and name not in named:
        raise unknown("chart", name, list(named))
    return finite(laid_out(stacked(list(named.values()) if name is None else [named[name]])))


def _nothing() -> PrunectlError:
    return PrunectlError("nothing to draw yet: no trial is done", hint="run the study first")
