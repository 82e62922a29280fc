"""Results in the formats that there are: a page, tables for programs, tables for papers, pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from prunectl.base.errors import PrunectlError
from prunectl.base.text import did_you_mean, finite, visible
from prunectl.report import tables
from prunectl.results import summary, table_files
from prunectl.results.claims import Verdict, verdicts
from prunectl.results.published.load import matching
from prunectl.results.statistics import Center
from prunectl.results.table import Results

if TYPE_CHECKING:
    import polars as pl


def render(results: Results, format: str, *, chart: str | None = None, center: Center = "mean") -> str | bytes:
    """The results in a format: text for html, md, csv, json, latex and svg, bytes for parquet and png.

    Pictures hold all charts below each other, or the one that is named. Accuracies over several seeds are means or
    medians, except in the tables for programs, which hold every trial. Raises PrunectlError for a format or a
    chart that is not there.
    """
    if format not in FORMATS:
        raise PrunectlError(
            f"no format {format!r}; there are {', '.join(FORMATS)}", hint=did_you_mean(format, FORMATS, "{}")
        )
    if format in ("svg", "png"):
        return _picture(results, format, chart, center)
    return FORMATS[format](results, center)


def html(results: Results, center: Center = "mean", *, written: str = "", reload_s: int = 0) -> str:
    """The page; of a study that is not finished as of `written`, loading itself again if it is followed."""
    from prunectl.report import page

    found = verdicts(results.study.claim, results.trials, results.arms)
    return page.build(results, found, _published(results), center=center, written=written, reload_s=reload_s)


def _published(results: Results) -> pl.DataFrame | None:
    """The published numbers that the study names, as far as they are about its network and data set."""
    tables_named = results.study.published.tables
    return matching(results.trials, tables_named) if tables_named else None


def _picture(results: Results, format: str, chart: str | None, center: Center) -> str | bytes:
    import vl_convert

    from prunectl.report.charts import charts, stacked

    judged = verdicts(results.study.claim, results.trials, results.arms)
    sections = charts(results, judged, _published(results), center)
    found = {one.name: one for section in sections.values() for one in section}
    if not found:
        raise PrunectlError("there is nothing to draw yet: no trial is done", hint="run the study first")
    if chart is not None and chart not in found:
        raise PrunectlError(f"no chart {chart!r}; there are {', '.join(found)}", hint=did_you_mean(chart, found, "{}"))
    spec = finite(stacked(list(found.values()) if chart is None else [found[chart]]))
    picture: str | bytes = (
        vl_convert.vegalite_to_svg(spec) if format == "svg" else vl_convert.vegalite_to_png(spec, scale=2)
    )
    return picture


def _markdown(results: Results, center: Center) -> str:
    study = results.study
    parts = [f"# {_md(study.title or study.name)}"]
    parts += [_md(study.source)] if study.source else []
    parts.append("\n".join(f"- {_md(sentence)}" for sentence in summary.sentences(results.trials, center)))
    found = verdicts(study.claim, results.trials, results.arms)
    parts += ["## Claims", "\n".join(_md_verdict(verdict) for verdict in found)] if found else []
    if results.trials.height:
        parts += ["## Top-1 accuracy, %", _md_grid(tables.grid(results.trials, center))]
    parts += ["## Resources", "\n".join(f"- {text}" for text in summary.resources(results.resources))]
    parts.append(_md_table(tables.RESOURCE_HEADS, tables.resource_rows(results.resources)))
    parts.append("## Versions")
    parts.append(", ".join(f"{_md(name)} {_md(text)}" for name, text in results.versions.items()))
    return "\n\n".join(part for part in parts if part) + "\n"


def _md_verdict(verdict: Verdict) -> str:
    return f"- **{verdict.answer}**: {_md(verdict.claim.text)}. {_md(verdict.reason)}."


def _md_grid(grid: tables.Grid) -> str:
    rows = [
        [row.arm, *(_told(cell) if not cell.best else f"**{_told(cell)}**" for cell in row.cells)]
        for row in grid.ranked
    ]
    dense = f"\n\nDense: {_told(grid.dense)}. " if grid.dense else "\n\n"
    note = (
        f"The {grid.of} over the seeds; in brackets the 80 % bootstrap interval of the {grid.of}. "
        "Bold: the highest of its column."
    )
    return _md_table(["arm", *grid.heads], rows, escape=("arm",)) + dense + note


def _told(cell: tables.Cell) -> str:
    return f"{cell.text} ({cell.spread})" if cell.spread else cell.text


def _md_table(heads: Sequence[str], rows: Sequence[Sequence[str]], escape: Sequence[str] | None = None) -> str:
    if not rows:
        return ""
    lines = [heads, ["---"] + ["--:"] * (len(heads) - 1)]
    lines += [[_md(text) if escape is None or at == 0 else text for at, text in enumerate(row)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _md(text: str) -> str:
    """Text that Markdown and the HTML in it leave alone, in one line."""
    return re.sub(r"([\\`*_\[\]<>|#&])", r"\\\1", visible(text))


TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "×": r"$\times$", "·": r"$\cdot$", "–": "--",
    "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def tex(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(TEX.get(char, char) for char in visible(text))


def _latex(results: Results, center: Center) -> str:
    """Top-1 accuracy by arm and sparsity as a table in the style of booktabs."""
    grid = tables.grid(results.trials, center)
    heads = " & ".join(["", *(tex(head) for head in grid.heads)])
    body = [" & ".join([tex(row.arm), *(_tex_cell(cell) for cell in row.cells)]) + r" \\" for row in grid.rows]
    seeds = max((cell.of for row in grid.rows for cell in row.cells), default=0)
    dense = f" The dense network reaches {tex(_told(grid.dense))}." if grid.dense else ""
    spread = f", with the 80\\,\\% bootstrap interval of the {grid.of}" if seeds > 1 else ""
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{tex(results.study.title or results.study.name)}: top-1 accuracy in percent by sparsity, "
            rf"{f'{grid.of} over {seeds} seeds' if seeds > 1 else 'one seed'}{spread}.{dense}}}",
            rf"\begin{{tabular}}{{l{'r' * len(grid.heads)}}}",
            r"\toprule",
            heads + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _tex_cell(cell: tables.Cell) -> str:
    text = tex(cell.text)
    text = rf"\textbf{{{text}}}" if cell.best else text
    return f"{text} {{\\scriptsize({tex(cell.spread)})}}" if cell.spread else text


FORMATS: dict[str, Callable[[Results, Center], str | bytes]] = {
    "html": html,
    "md": _markdown,
    "csv": lambda results, _: table_files.to_csv(results.trials),
    "json": lambda results, _: table_files.to_json(results.trials),
    "parquet": lambda results, _: table_files.to_parquet(results.trials),
    "latex": _latex,
    "svg": lambda results, center: _picture(results, "svg", None, center),
    "png": lambda results, center: _picture(results, "png", None, center),
}
