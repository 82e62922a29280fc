"""The table of `prunectl latency`: variant × batch size, for each network, as text or Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from prunectl.base.text import and_list, percent, plural, size
from prunectl.report.cells import MISSING
from prunectl.results.pairing import groups

NETWORK = ["arm", "sparsity"]
ONCE = ["artefact", "variant", "batch"]
"""Arms share the dense network, and what was measured of it."""
RESOLUTION = 100_000
"""Bytes of memory below which a measurement shows nothing."""


def text(frame: pl.DataFrame) -> str:
    """For a terminal."""
    parts = []
    for network in _networks(frame):
        lines = aligned([network.heads, *network.rows])
        parts.append("\n".join([network.title, *lines, *network.remarks]))
    return "\n\n".join([*parts, *sentences(frame)])


def markdown(frame: pl.DataFrame) -> str:
    """For a page."""
    parts = []
    for network in _networks(frame):
        remarks = "\n".join(f"- {remark}" for remark in network.remarks)
        parts += [f"**{network.title}**", "\n".join(piped([network.heads, *network.rows])), remarks]
    return "\n\n".join(part for part in [*parts, *sentences(frame)] if part) + "\n"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with their columns aligned: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]


def piped(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table, the first row its head."""
    head, *others = rows
    return [f"| {' | '.join(row)} |" for row in [head, ["---", *["--:"] * (len(head) - 1)], *others]]


def sentences(frame: pl.DataFrame) -> list[str]:
    """How the numbers were measured, and on what."""
    return [
        f"Medians of {repeats:,} interleaved measurements, in brackets their quartiles; float32; measured on "
        f"{place(machine, device, threads)}, with torch {torch} and "
        + (f"ONNX Runtime {runtime}" if runtime else "without ONNX Runtime")
        + ". Memory is what loading the network and one pass add at most."
        for (machine, device, threads, torch, runtime, repeats), _ in groups(
            frame, ["machine", "device", "threads", "torch", "onnxruntime", "repeats"]
        )
    ]


def place(machine: str, device: str, threads: int) -> str:
    """A machine for people."""
    return f"{machine}, {plural(threads, 'thread')}" if device == "cpu" else machine


@dataclass(frozen=True, kw_only=True)
class _Network:
    """One network: a row for each variant that there is, a remark for those that there are not."""

    title: str
    heads: list[str]
    rows: list[list[str]]
    remarks: list[str]


def _networks(frame: pl.DataFrame) -> Iterator[_Network]:
    batches = sorted(frame["batch"].unique())
    heads = ["variant"]
    for batch in batches:
        heads += [f"batch {batch}, ms", "× dense"]
    heads += [*(f"memory, batch {batch}" for batch in batches), "on disk"]
    for (arm, sparsity), network in groups(frame.unique(ONCE, keep="first", maintain_order=True), NETWORK):
        seeds, top1 = network["seed"].n_unique(), network["top1"].mean()
        title = f"{arm}, sparsity {percent(sparsity)}" if sparsity else "the dense network"
        title += f", top-1 {top1 * 100:.2f} %" if isinstance(top1, float) else ""
        title += f" (medians over {plural(seeds, 'seed')})" if seeds > 1 else ""
        timed = network.filter(pl.col("ms").is_not_null())
        rows = [_row(of_variant, name, batches) for (name,), of_variant in groups(timed, ["variant"])]
        yield _Network(title=title, heads=heads, rows=rows, remarks=list(_remarks(network)))


def _row(rows: pl.DataFrame, name: str, batches: Sequence[int]) -> list[str]:
    columns = [pl.col("ms", "ms_low", "ms_high", "speedup", "peak_bytes", "size_bytes").median()]
    by_batch = [rows.filter(pl.col("batch") == batch).select(columns).row(0) for batch in batches]
    cells: list[str] = []
    for ms, low, high, faster, *_ in by_batch:
        cells += [
            MISSING if ms is None else f"{_ms(ms)} ({_ms(low)} to {_ms(high)})",
            MISSING if faster is None else f"{faster:.2f}",
        ]
    return [name, *cells, *(_memory(row[-2]) for row in by_batch), size(by_batch[0][-1])]


def _ms(value: float) -> str:
    """Milliseconds with three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _memory(value: float | None) -> str:
    """Where memory grows by single pages of a heap, the number would be noise."""
    return f"< {size(RESOLUTION)}" if value is not None and value < RESOLUTION else size(value)


def _remarks(network: pl.DataFrame) -> Iterator[str]:
    """'onnx: of the compact network', 'no sparse: ...'."""
    for (name, note), _ in groups(network.filter(pl.col("note").is_not_null()), ["variant", "note"]):
        yield f"{name}: {note}"
    for (reason,), rows in groups(network.filter(pl.col("reason").is_not_null()), ["reason"]):
        yield f"no {and_list(rows['variant'].unique(maintain_order=True).to_list())}: {reason}"
