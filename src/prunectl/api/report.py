"""Results as files: the page, tables, pictures."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.base.errors import writing

if TYPE_CHECKING:
    from prunectl.results.statistics import Center
    from prunectl.results.table import Results

FORMATS = ("html", "md", "csv", "json", "parquet", "latex", "svg", "png", "pdf")
"""The formats of a report; a copy of `report.formats.FORMATS`, so that `--help` need not import them."""

ELSEWHERE = "choose another place with --output DIR"


def report(
    results: Results, format: str = "html", *, chart: str | None = None, center: Center = "mean", reload_s: int = 0
) -> bytes:
    """Results in a format. The page carries the time, and loads itself again every `reload_s` seconds if not 0.

    `chart` picks one chart of svg, png or pdf. Raises PrunectlError for a format or a chart that does not exist.
    """
    from prunectl.report import formats

    if format == "html":
        return formats.html(results, center, written=clock(), reload_s=reload_s).encode()
    content = formats.render(results, format, chart=chart, center=center)
    return content if isinstance(content, bytes) else content.encode()


def curves(results: Results, format: str) -> bytes:
    """The training curves as csv or parquet: a row for each evaluation of each trial."""
    import io

    from prunectl.results import table_files

    frame, buffer = table_files.curves(results), io.BytesIO()
    frame.write_csv(buffer) if format == "csv" else frame.write_parquet(buffer)
    return buffer.getvalue()


def together(results: Sequence[Results], *, center: Center = "mean") -> bytes:
    """Several studies on one page."""
    from prunectl.report import several_page

    return several_page.build(results, center=center).encode()


def write(results: Results, folder: Path) -> list[Path]:
    """Write the table and the page to a folder. Raises PrunectlError if it cannot be written."""
    from prunectl.report import formats
    from prunectl.store.atomic import make_directory
    from prunectl.store.output import write_output

    files = [folder / "table.csv", folder / "report.html"]
    with writing(folder, hint=ELSEWHERE):
        make_directory(folder)
    for file in files:
        content = formats.render(results, file.suffix[1:])
        write_output(file, content if isinstance(content, bytes) else content.encode(), hint=ELSEWHERE)
    return files


def clock() -> str:
    """The time by this machine's clock, with its offset."""
    return datetime.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
