"""Rows of the table of a small plan, with numbers that a test chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from planning import plan
from prunectl.plan.graph import Trial
from prunectl.results.table import SCHEMA

Accuracy = Callable[[Trial], float | None]


def half(trial: Trial) -> float:
    """An accuracy that falls with sparsity and differs from seed to seed."""
    return 0.9 - 0.1 * trial.sparsity + 0.01 * trial.seed


def dense(trial: Trial) -> float:
    """The accuracy of the dense network: one for each seed and initialization."""
    return 0.9 + 0.01 * trial.seed + (0.05 if trial.arm.init == "orthogonal" else 0.0)


def budget(trial: Trial) -> float:
    """The budget of a trial that has a fraction."""
    assert isinstance(trial.arm.budget, float)
    return trial.arm.budget


def table(*arms: dict[str, Any], top1: Accuracy = half, **changed: Any) -> pl.DataFrame:
    """The table of a study with these [[prune]] tables, done."""
    planned = plan(*arms, **changed)
    rows = [
        dict.fromkeys(SCHEMA)
        | {"study": "t", "model": "tiny-cnn", "dataset": "digits", "status": "done", "arm": each.arm.label}
        | each.arm.columns()
        | {"sparsity": each.sparsity, "compression": 1 / (1 - each.sparsity), "seed": each.seed}
        | {"top1": dense(each) if each.sparsity == 0 else top1(each), "top1_dense": dense(each)}
        for each in planned.trials
    ]
    return pl.DataFrame(rows, schema=SCHEMA)
