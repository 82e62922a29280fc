"""What `prunectl latency` has measured: a row per trial, variant and batch size, and the trial table's two columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from prunectl.store import layout

if TYPE_CHECKING:
    from prunectl.plan.graph import Plan, Trial
    from prunectl.plan.steps import Key

Document = Callable[["Key", str], Any]
"""Gives a JSON file of an artefact, or None if the artefact is not there."""

LATENCIES: dict[str, Any] = {
    "arm": pl.String,
    "criterion": pl.String,
    "ablation": pl.String,
    "sparsity": pl.Float64,
    "seed": pl.Int64,
    "top1": pl.Float64,
    "top1_dense": pl.Float64,
    "variant": pl.String,  # dense, masked, compact, sparse, torch-prune, onnx-dense, onnx
    "batch": pl.Int64,
    "ms": pl.Float64,  # of one forward pass: the median of the measurements
    "ms_low": pl.Float64,  # their quartiles
    "ms_high": pl.Float64,
    "speedup": pl.Float64,  # the dense network's ms / ms
    "calls": pl.Int64,  # in a row in each measurement
    "peak_bytes": pl.Int64,  # that loading the network and one pass add to memory at most
    "size_bytes": pl.Int64,  # of its file
    "note": pl.String,
    "reason": pl.String,  # why there is no such variant
    "repeats": pl.Int64,
    "machine": pl.String,
    "device": pl.String,
    "threads": pl.Int64,
    "torch": pl.String,
    "onnxruntime": pl.String,
    "artefact": pl.String,  # of the measurement
}

DENSE, SMALLEST = "dense", ("compact", "masked", "dense")
"""The variants that the trial table shows: the first of these that there is."""
ONE_IMAGE = 1


def of_trial(trial: Trial, document: Document) -> dict[str, float | None]:
    """The two columns of the trial table: milliseconds of one image; null until they are measured."""
    measured = document(trial.latency, layout.LATENCY) if trial.latency else None
    times = {row["variant"]: row["ms"] for row in measured["rows"] if row["batch"] == ONE_IMAGE} if measured else {}
    own = next((times[name] for name in SMALLEST if times.get(name) is not None), None)
    return {"latency_ms": own, "latency_dense_ms": times.get(DENSE)}


def latencies(plan: Plan, trials: pl.DataFrame, document: Document) -> pl.DataFrame:
    """Every measurement that there is of the trials of a plan, whose rows of the table are `trials`."""
    rows = [row for trial, found in zip(plan.trials, trials.iter_rows(named=True), strict=True)
            for row in _rows(trial, found, document)]  # fmt: skip
    return pl.DataFrame(rows, schema=LATENCIES, orient="row")


def _rows(trial: Trial, found: dict[str, Any], document: Document) -> Iterator[dict[str, Any]]:
    measured = document(trial.latency, layout.LATENCY) if trial.latency else None
    if measured is None:
        return
    conditions = measured["conditions"]
    dense = {row["batch"]: row["ms"] for row in measured["rows"] if row["variant"] == DENSE}
    shared = {name: found[name] for name in ("arm", "criterion", "ablation", "sparsity", "seed", "top1", "top1_dense")}
    shared |= {name: conditions[name] for name in ("repeats", "machine", "device", "threads", "torch", "onnxruntime")}
    for row in measured["rows"]:
        faster = dense[row["batch"]] / row["ms"] if row["ms"] and dense.get(row["batch"]) else None
        yield {**shared, **row, "speedup": faster, "artefact": trial.latency}
