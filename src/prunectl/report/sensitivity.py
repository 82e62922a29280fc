"""The table of `prunectl sensitivity`: layer × rate, with the rates to paste, as text or Markdown."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from prunectl.base.text import and_list, percent, points
from prunectl.report.cells import MISSING
from prunectl.report.latency import aligned, piped
from prunectl.results.pairing import groups
from prunectl.results.sensitivity import Spared


def text(found: Spared) -> str:
    """For a terminal."""
    heads, rows = _table(found)
    return "\n".join([*_introduction(found), "", *aligned([heads, *rows]), "", *_remarks(found), "", *_proposal(found)])


def markdown(found: Spared) -> str:
    """For a page."""
    heads, rows = _table(found)
    lines = piped([heads, *rows])
    proposal = list(_proposal(found))
    pasted = ["```toml", *proposal[-2:], "```"] if found.pasted else []
    return "\n".join([*_introduction(found), "", *lines, "", *_remarks(found), "", proposal[0], "", *pasted]) + "\n"


def _introduction(found: Spared) -> Iterator[str]:
    dense = MISSING if found.top1_dense is None else percent(found.top1_dense, 2)
    yield (
        f"{found.study}: top-1 accuracy with one layer pruned by {found.criterion} ({found.structure}), all others "
        f"dense, without retraining; seed {found.seed}, dense {dense}"
    )


def _table(found: Spared) -> tuple[list[str], list[list[str]]]:
    rates = found.rows["rate"].unique().sort().to_list()
    heads = ["layer", "weights", *[f"at {percent(rate)}" for rate in rates], "spares"]
    proposed = found.proposed
    rows = []
    for (layer, n), cells in groups(found.rows, ["layer", "n"]):
        by_rate = dict(cells.select("rate", "top1").iter_rows())
        shown = [MISSING if by_rate.get(rate) is None else f"{by_rate[rate] * 100:.2f}" for rate in rates]
        rows.append([layer, f"{n:,}", *shown, percent(proposed[layer]) if layer in proposed else "0 %"])
    return heads, rows


def _remarks(found: Spared) -> Iterator[str]:
    """What the last column means, and why cells are empty."""
    yield (
        f"spares: the highest of these rates that costs at most {points(found.margin)} of top-1 accuracy. This is a "
        "heuristic: layers are pruned alone, and together they lose more."
    )
    for (reason,), rows in groups(found.rows.filter(pl.col("reason").is_not_null()), ["reason"]):
        layers = rows["layer"].unique(maintain_order=True).to_list()
        yield f"{and_list(layers)}: {reason}"


def _proposal(found: Spared) -> Iterator[str]:
    if found.pasted is None or found.sparsity is None:
        yield "No layer spares any of these rates: try lower ones with --rates, or a larger --margin."
        return
    yield (
        "Rates to paste into [[prune]]; the scope scales them together to each sparsity of [sweep], and reaches "
        f"exactly these at {found.sparsity:.6g}:"
    )
    yield found.pasted
    yield f"# [sweep] sparsities = [{found.sparsity:.6g}]"
