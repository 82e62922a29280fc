"""Trials with numbers that a test chooses, and the verdicts on claims about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from prunectl.catalog.retraining import After
from prunectl.catalog.seeds import Look
from prunectl.plan.graph import Placed
from prunectl.results.claims import Verdict, verdict
from prunectl.results.table import SCHEMA, Task
from prunectl.study.arms import Arm, expand
from prunectl.study.schema import Claim, PruneSection

TASK = Task(classes=10, images=10_000)
Row = tuple[Arm, dict[str, Any]]


def arm(**table: Any) -> Arm:
    """The one arm of a [[prune]] table: SNIP unless it names another criterion."""
    (single,) = expand([PruneSection.model_validate({"criterion": "snip", **table})], "kaiming-normal")
    return single


def rows(top1: list[float | None], sparsity: float = 0.9, **table: Any) -> list[Row]:
    """Trials of one arm at one sparsity, one value a seed from 1 on."""
    single = arm(**table)
    return [(single, {"sparsity": sparsity, "seed": seed, "top1": value}) for seed, value in enumerate(top1, 1)]


def both(none: list[float | None], shuffle: list[float | None], **more: Any) -> list[Row]:
    """Trials of two ablations, one value a seed."""
    return [*rows(none, ablation="none", **more), *rows(shuffle, ablation="shuffle", **more)]


def judged(
    trials: list[Row], margin: float = 0.0, task: Task = TASK, looks: Sequence[Look] = (), **claim: Any
) -> Verdict:
    """The verdict on a claim, by default that shuffling does not hurt."""
    sides = {"better": {"ablation": "shuffle"}, "than": {"ablation": "none"}}
    base = dict.fromkeys(SCHEMA) | {"model": "m", "dataset": "d", "status": "done"}
    full = [
        base | single.columns() | {"arm": single.label, "artefact": f"key{place}"} | row
        for place, (single, row) in enumerate(trials)
    ]
    arms = {single.label: Placed(arm=single, at_step=0, after=After(), dense_steps=1) for single, _ in trials}
    asked = Claim.model_validate({"text": "t", "margin": margin, **sides, **claim})
    return verdict(asked, pl.DataFrame(full, schema=SCHEMA), arms, task, looks)
