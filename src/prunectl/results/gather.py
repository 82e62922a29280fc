"""Artefacts → frames: the only place where what the store holds becomes rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import polars as pl

from prunectl.base.cells import cell
from prunectl.base.errors import Path
from prunectl.base.text import and_list
from prunectl.catalog.dataset import Content
from prunectl.catalog.values import Denominator
from prunectl.plan.graph import Plan, Trial
from prunectl.plan.resolve import images_of
from prunectl.plan.steps import Collapse, During, Key, Measure, Prune, PruneRounds, Score, Step, Train
from prunectl.results import courses, latency
from prunectl.results.shelf import Shelf
from prunectl.results.table import LAYERS, METRICS, RESOURCES, SCHEMA, Results, Task
from prunectl.store import layout
from prunectl.store.hardware import HardwareClass, counted
from prunectl.store.local import LocalStore
from prunectl.study.schema import Study
from prunectl.study.selection import WHOLE, Selection

BASELINE = "the dense baseline failed"
"""How the reason of a trial begins whose own steps are done, but not those of the network it is compared with."""


def table(study: Study, plan: Plan, store: LocalStore, shelf: Shelf | None = None) -> pl.DataFrame:
    """One row per trial, complete and in the order of the plan: its length follows from the study and seeds granted."""
    shelf = shelf or Shelf(plan, store)
    shelf.read_ahead()
    rows = [_row(study, trial, shelf) for trial in plan.trials]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def results(
    study: Study,
    text: str,
    plan: Plan,
    store: LocalStore,
    made: set[Key],
    content: Content,
    *,
    selection: Selection = WHOLE,
    overridden: Collection[Path] = (),
) -> Results:
    """Everything that a report shows; `made` are the steps that this very run has done.

    `selection` is what of the study was asked for, and `overridden` the paths of what it has set: the report shows
    both.
    """
    shelf = Shelf(plan, store)
    trials, progress = table(study, plan, store, shelf), progress_of(plan, shelf)
    return Results(
        study=study,
        arms=plan.arms,
        study_text=text,
        selection=selection,
        overridden=overridden,
        task=task_of(study, content),
        trials=trials,
        layers=pl.DataFrame(list(_layers(plan, shelf)), schema=LAYERS, orient="row"),
        curves=courses.curves(progress),
        remaining=courses.remaining(progress),
        resources=pl.DataFrame(_resources(plan, shelf, made), schema=RESOURCES, orient="row"),
        versions=_versions(plan, shelf),
        made_on=_made_on(plan, shelf),
        latencies=latency.latencies(plan, trials, shelf.document),
    )


def task_of(study: Study, content: Content) -> Task:
    """The classes of the data set, and the images that the study asks for."""
    images = images_of(study, content)
    return Task(classes=content.classes, images=images["test"], validation=images["validation"], train=images["train"])


def _row(study: Study, trial: Trial, shelf: Shelf) -> dict[str, Any]:
    arm, metrics = trial.arm, shelf.metrics(trial)
    dense = shelf.document(trial.baseline_measure, layout.METRICS)
    before = shelf.document(trial.measure_before, layout.METRICS) if trial.measure_before else None
    row: dict[str, Any] = dict.fromkeys(SCHEMA)
    row |= {
        "study": study.name,
        "arm": arm.label,
        "model": cell(study.model.model.written()),
        "dataset": cell(study.data.dataset.written()),
        **arm.columns(),
        "seed": trial.seed,
        "sparsity": trial.sparsity,
        "sparsity_of": study.sweep.of,
        "compression": 1 / (1 - trial.sparsity),
        "top1_dense": dense["top1"] if dense else None,
        "top1_before_retrain": before["top1"] if before else None,
        "artefact": trial.state,
        **critical(trial, shelf),
        **latency.of_trial(trial, shelf.document),
        "n_tied": shelf.tied(trial),
    }
    if metrics is None:
        status, why = shelf.why_missing(trial.measure)
        return row | {"status": status, "reason": why}
    made = shelf.manifest(trial.state)
    return (
        row
        | _measured(trial, study.sweep.of, metrics)
        | {
            "train_s": shelf.train_s(trial.state),
            "score_s": shelf.score_s(trial),
            "device": made.made.device if made else None,
            "status": "done",
            "reason": "; ".join(_reservations(trial, metrics, shelf)) or None,
        }
    )


COLLAPSE = ("max_compression", "critical_compression", "critical_by")
"""The columns about collapse."""


def critical(trial: Trial, shelf: Shelf) -> dict[str, Any]:
    """The columns about collapse; null where they were not asked for, or not computed."""
    info = shelf.document(trial.collapse, layout.INFO) if trial.collapse else None
    return {name: info[name] if info else None for name in COLLAPSE}


def _reservations(trial: Trial, metrics: dict[str, Any], shelf: Shelf) -> Iterator[str]:
    """What a trial that is done lacks, and why: the network that it is compared with, counts that are null."""
    baseline, why = shelf.why_missing(trial.baseline_measure) if _lacks_baseline(trial, shelf) else ("done", None)
    if baseline == "failed":
        yield f"{BASELINE}: {why}"
    for key in trial.measured_apart:
        status, why = shelf.why_missing(key) if shelf.document(key, layout.METRICS) is None else ("done", None)
        if status == "failed":
            yield f"{_measured_in(shelf.plan, key)} could not be measured: {why}"
    if trial.collapse and shelf.document(trial.collapse, layout.INFO) is None:
        status, why = shelf.why_missing(trial.collapse)
        if status == "failed":
            yield f"the critical compression is not known: {why}"
    for name, doubt in metrics["uncounted"].items():
        yield f"{name} is not known: {doubt}"


def _measured_in(plan: Plan, key: Key) -> str:
    """The names of the metrics that a step measures."""
    step = plan.steps[key]
    assert isinstance(step, Measure)
    return and_list([metric.name for metric in step.metrics])


def _lacks_baseline(trial: Trial, shelf: Shelf) -> bool:
    return shelf.document(trial.baseline_measure, layout.METRICS) is None


def denominator(plan: Plan, trial: Trial) -> Denominator:
    """What the sparsity of a pruned trial is a fraction of."""
    assert trial.plain_mask is not None
    step = plan.steps[trial.plain_mask]
    made = step.during if isinstance(step, Train) else step
    assert isinstance(made, Prune | PruneRounds | During)
    return made.of


def _measured(trial: Trial, of: Denominator, metrics: dict[str, Any]) -> dict[str, Any]:
    n_kept = sum(layer["kept"] for layer in metrics["layers"])
    counts = {"prunable": (metrics["n_prunable"], n_kept), "all": (metrics["n_params"], metrics["n_nonzero"])}
    total, kept = counts[of]
    actual = total / kept if kept else math.inf
    asked = 1 / (1 - trial.sparsity)
    copied = (
        *(metric.name for metric in METRICS),
        "n_params", "n_prunable", "n_nonzero", "n_effective", "flops", "flops_dense", "size_bytes", "size_bytes_dense",
    )  # fmt: skip
    return {name: metrics.get(name) for name in copied} | {
        "sparsity_actual": 1 - kept / total,
        "compression_actual": actual,
        "compression_error": actual / asked - 1,
        "layers_collapsed": [layer["name"] for layer in metrics["layers"] if layer["kept"] == 0],
    }


def _layers(plan: Plan, shelf: Shelf) -> Iterator[dict[str, Any]]:
    for trial in plan.trials:
        metrics = shelf.document(trial.measure, layout.METRICS)
        for index, layer in enumerate(metrics["layers"] if metrics else ()):
            yield {
                "arm": trial.arm.label,
                "criterion": trial.arm.criterion.label(),
                "ablation": trial.arm.ablation.name,
                "sparsity": trial.sparsity,
                "seed": trial.seed,
                "layer": layer["name"],
                "index": index,
                "n": layer["n"],
                "kept": layer["kept"],
            }


def progress_of(plan: Plan, shelf: Shelf) -> dict[str, Any]:
    """The progress documents of the trainings that end in a trial's network, as far as they are there."""
    trained = dict.fromkeys(trial.state for trial in plan.trials if isinstance(plan.steps[trial.state], Train))
    documents = {state: shelf.document(state, layout.PROGRESS) for state in trained}
    return {state: document for state, document in documents.items() if document}


def _resources(plan: Plan, shelf: Shelf, made: set[Key]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str | None], list[Key]] = {}
    asked = plan.closure(plan.targets("retrain"))  # of a study's part, its part
    for key, step in plan.steps.items():
        if key in asked:
            groups.setdefault((step.kind, _criterion(plan, step)), []).append(key)
    unshared, alone = Counter[Key](), Counter[Key]()
    for trial in plan.trials:
        needed = plan.closure((*trial.measures, *((trial.collapse,) if trial.collapse else ())))
        unshared.update(needed)
        alone.update(needed - _passed_through(plan, needed))
    rows = []
    for (kind, criterion), keys in groups.items():
        there = [found for key in keys if (found := shelf.manifest(key)) is not None]
        joules = [found.made.energy_j for found in there if found.made.energy_j is not None]
        rows.append(
            {
                "kind": kind,
                "criterion": criterion,
                "steps": len(keys),
                "made": len(made.intersection(keys)),
                "reused": len(there) - len(made.intersection(keys)),
                "wall_s": sum(manifest.made.wall_s for manifest in there),
                "cpu_s": sum(manifest.made.cpu_s for manifest in there),
                "energy_j": sum(joules) if joules else None,
                "metered": len(joules),
                "peak_bytes": max((manifest.made.peak_bytes for manifest in there), default=None),
                "unshared": sum(unshared[key] for key in keys),
                "unshared_s": sum(alone[key] * shelf.whole_s(key) for key in keys),
                "device": ", ".join(sorted({manifest.made.device for manifest in there})) or None,
            }
        )
    return rows


def _passed_through(plan: Plan, needed: set[Key]) -> set[Key]:
    """The states that a later one of the same training passes through: on its own, a trial would train once."""
    passed: set[Key] = set()
    for key in needed:
        earlier = plan.follows.get(key)
        while earlier is not None and earlier not in passed:
            passed.add(earlier)
            earlier = plan.follows.get(earlier)
    return passed


def _criterion(plan: Plan, step: Step) -> str | None:
    if isinstance(step, Score | PruneRounds | Collapse):
        return step.criterion.label()
    if isinstance(step, Prune):
        return _criterion(plan, plan.steps[step.scores])
    return None


def _made_on(plan: Plan, shelf: Shelf) -> dict[HardwareClass, int]:
    """Of all the steps behind the table that are there."""
    there = (shelf.manifest(key) for key in plan.closure(plan.targets("retrain")))
    return counted(manifest.made.hardware_class for manifest in there if manifest is not None)


def _versions(plan: Plan, shelf: Shelf) -> dict[str, str]:
    """Of the machines that made the artefacts; where several differ, all of them."""
    seen: dict[str, set[str]] = {}
    for key in plan.steps:
        if (manifest := shelf.manifest(key)) is not None:
            for name, version in {**manifest.made.versions, "hardware": manifest.made.hardware}.items():
                seen.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions)) for name, versions in seen.items()}
