"""From measurements to rows, and to the two columns of the trial table."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import planning
from planning import END
from prunectl.plan.conditions import Conditions
from prunectl.plan.latency import timed
from prunectl.plan.steps import Key
from prunectl.results.latency import LATENCIES, latencies, of_trial

HERE = Conditions(
    machine="a machine", device="cpu", threads=1, torch="2", onnxruntime=None, batch_sizes=(1, 8), repeats=3
)
CONDITIONS = {"machine": "a machine", "device": "cpu", "threads": 1, "torch": "2", "onnxruntime": None, "repeats": 3}


def row(variant: str, batch: int, ms: float | None) -> dict[str, Any]:
    reason = "there is none" if ms is None else None
    return {"variant": variant, "batch": batch, "ms": ms, "ms_low": ms, "ms_high": ms, "calls": 1, "peak_bytes": 10,
            "size_bytes": 100, "note": None, "reason": reason}  # fmt: skip


ROWS = [row("dense", 1, 2.0), row("dense", 8, 9.0), row("masked", 1, 2.5), row("masked", 8, 9.0),
        row("compact", 1, 1.0), row("compact", 8, 3.0), row("sparse", 1, None)]  # fmt: skip
PLAN = timed(planning.plan(END, sweep={"sparsities": [0.5], "seeds": [1]}), HERE)
TRIAL = PLAN.trials[0]
TABLE = pl.DataFrame(
    [{"arm": "magnitude", "criterion": "magnitude", "ablation": "none", "sparsity": 0.5, "seed": 1, "top1": 0.8,
      "top1_dense": 0.9}]
)  # fmt: skip


def store(rows: list[dict[str, Any]]) -> Any:
    return lambda key, name: {"conditions": CONDITIONS, "rows": rows} if key == TRIAL.latency else None


def test_the_table_has_the_compact_network_else_the_masked_one_and_one_image() -> None:
    assert of_trial(TRIAL, store(ROWS)) == {"latency_ms": 1.0, "latency_dense_ms": 2.0}
    uncut = [each | {"ms": None} if each["variant"] == "compact" else each for each in ROWS]
    assert of_trial(TRIAL, store(uncut)) == {"latency_ms": 2.5, "latency_dense_ms": 2.0}
    assert of_trial(TRIAL, store(ROWS[:1])) == {"latency_ms": 2.0, "latency_dense_ms": 2.0}


@pytest.mark.parametrize("rows", [None, [row("dense", 8, 9.0)]])
def test_what_was_not_measured_is_null(rows: list[dict[str, Any]] | None) -> None:
    document = store(rows) if rows else lambda key, name: None
    assert of_trial(TRIAL, document) == {"latency_ms": None, "latency_dense_ms": None}


def test_there_is_a_row_per_variant_and_batch_with_where_it_was_measured() -> None:
    frame = latencies(PLAN, TABLE, store(ROWS))
    assert frame.schema == pl.Schema(LATENCIES)
    assert frame["speedup"].to_list() == [1.0, 1.0, 0.8, 1.0, 2.0, 3.0, None]
    assert frame.select("machine", "repeats", "top1", "artefact").unique().rows() == [
        ("a machine", 3, 0.8, TRIAL.latency)
    ]


def test_without_measurements_there_are_no_rows() -> None:
    nothing = latencies(PLAN, TABLE, lambda key, name: None)
    assert nothing.is_empty() and nothing.schema == pl.Schema(LATENCIES)
    assert TRIAL.latency != Key("")
