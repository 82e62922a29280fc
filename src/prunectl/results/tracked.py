"""Trials as trackers log them: rows of the table with their curves, read for a few trials of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prunectl.base.text import percent
from prunectl.catalog.tracker import Tracked
from prunectl.results.artefacts import Artefacts
from prunectl.results.courses import CURVES, curves
from prunectl.results.gather import progress_of, table
from prunectl.results.table import ARM, METRICS

if TYPE_CHECKING:
    from prunectl.plan.graph import Plan, Trial
    from prunectl.store.local import LocalStore
    from prunectl.study.schema import Study

CONFIG = (*ARM, "seed", "sparsity", "sparsity_of", "compression", "artefact")
POINT = tuple(name for name in CURVES if name not in ("artefact", "step"))
NUMBERS = (
    *(metric.name for metric in METRICS), "top1_dense", "top1_before_retrain", "sparsity_actual", "compression_actual",
    "n_params", "n_nonzero", "n_effective", "flops", "flops_dense", "size_bytes", "latency_ms", "train_s", "score_s",
)  # fmt: skip


def part(plan: Plan, trials: Sequence[Trial]) -> Plan:
    """The plan of these trials alone."""
    wanted = {key for trial in trials for key in (trial.baseline_measure, *trial.measures)}
    keys = plan.closure(wanted | {trial.collapse for trial in trials if trial.collapse})
    steps = {key: step for key, step in plan.steps.items() if key in keys}
    return replace(plan, steps=steps, trials=tuple(trials), asked=frozenset())


def tracked(study: Study, plan: Plan, store: LocalStore, trials: Sequence[Trial]) -> Iterator[Tracked]:
    """Those of the trials that are done. Raises DamagedError."""
    alone = part(plan, trials)
    artefacts = Artefacts(alone, store)
    rows = table(study, alone, store, artefacts).to_dicts()
    points: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for point in curves(progress_of(alone, artefacts)).to_dicts():
        points.setdefault(point["artefact"], []).append((point["step"], _known(point, POINT)))
    for trial, row in zip(trials, rows, strict=True):
        if row["status"] == "done":
            yield Tracked(
                key=trial.measure,
                name=named(trial),
                study=study.name,
                arm=row["arm"],
                config=_known(row, CONFIG),
                curve=tuple(points.get(trial.state, ())),
                numbers=_known(row, NUMBERS),
            )


def named(trial: Trial) -> str:
    """'snip · at init, 90 %, seed 1'; the dense network is that of every arm."""
    whose = "dense" if trial.measure == trial.baseline_measure else f"{trial.arm.label}, {percent(trial.sparsity)}"
    return f"{whose}, seed {trial.seed}"


def _known(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names if row[name] is not None}
