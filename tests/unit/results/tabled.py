"""Tables of a few trials whose numbers a test gives."""

from __future__ import annotations

from typing import Any

import polars as pl

from prunectl.results.table import SCHEMA

CELLS: dict[str, Any] = {
    "study": "t", "arm": "snip", "model": "m", "dataset": "d", "criterion": "snip", "scope": "global",
    "structure": "weight", "at": "init", "rounds": "one-shot", "init": "kaiming-normal", "ablation": "none",
    "retrain": "none", "sparsity": 0.9, "compression": 10.0, "status": "done",
}  # fmt: skip


def table(*top1: float | None, **cells: Any) -> pl.DataFrame:
    """Trials of one arm at one sparsity, one value a seed from 1 on."""
    rows = [dict.fromkeys(SCHEMA) | CELLS | {"seed": seed, "top1": value} | cells for seed, value in enumerate(top1, 1)]
    return pl.DataFrame(rows, schema=SCHEMA)


def magnitude(*top1: float | None, **cells: Any) -> pl.DataFrame:
    """The same for another criterion."""
    return table(*top1, arm="magnitude", criterion="magnitude", **cells)
