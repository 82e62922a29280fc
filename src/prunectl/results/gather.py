"""Artefacts → frames: the only place where what the store holds becomes rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
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
from prunectl.results.artefacts import Artefacts
from prunectl.results.table import LAYERS, METRICS, RESOURCES, SCHEMA, Results, Task
from prunectl.store import layout
from prunectl.store.hardware import HardwareClass, counted
from prunectl.store.local import LocalStore
from prunectl.study.schema import Study
from prunectl.study.selection import WHOLE, Selection

BASELINE = "the dense baseline failed"
"""How the reason of a trial begins whose own steps are done, but not those of the network it is compared with."""


def table(study: Study, plan: Plan, store: LocalStore, artefacts: Artefacts | None = None) -> pl.DataFrame:
    """One row per trial, complete and in the order of the plan: its length follows from the study and seeds granted."""
    artefacts = artefacts or Artefacts(plan, store)
    artefacts.read_ahead()
    rows = [_row(study, trial, artefacts) for trial in plan.trials]
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
    artefacts = Artefacts(plan, store)
    trials, progress = table(study, plan, store, artefacts), progress_of(plan, artefacts)
    return Results(
        study=study,
        arms=plan.arms,
        study_text=text,
        selection=selection,
        overridden=overridden,
        task=task_of(study, content),
        trials=trials,
        layers=pl.DataFrame(list(_layers(plan, artefacts)), schema=LAYERS, orient="row"),
        curves=courses.curves(progress),
        remaining=courses.remaining(progress),
        resources=pl.DataFrame(_resources(plan, artefacts, made), schema=RESOURCES, orient="row"),
        versions=_versions(plan, artefacts),
        made_on=_made_on(plan, artefacts),
        latencies=latency.latencies(plan, trials, artefacts.document),
    )


def task_of(study: Study, content: Content) -> Task:
    """The classes of the data set, and the images that the study asks for."""
    images = images_of(study, content)
    return Task(classes=content.classes, images=images["test"], validation=images["validation"], train=images["train"])


def _row(study: Study, trial: Trial, artefacts: Artefacts) -> dict[str, Any]:
    arm, metrics = trial.arm, artefacts.metrics(trial)
    dense = artefacts.document(trial.baseline_measure, layout.METRICS)
    before = artefacts.document(trial.measure_before, layout.METRICS) if trial.measure_before else None
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
        **critical(trial, artefacts),
        **latency.of_trial(trial, artefacts.document),
        "n_tied": artefacts.tied(trial),
    }
    if metrics is None:
        status, why = artefacts.why_missing(trial.measure)
        return row | {"status": status, "reason": why}
    made = artefacts.manifest(trial.state)
    return (
        row
        | _measured(trial, study.sweep.of, metrics)
        | {
            "train_s": artefacts.train_s(trial.state),
            "score_s": artefacts.score_s(trial),
            "device": made.made.device if made else None,
            "status": "done",
            "reason": "; ".join(_reservations(trial, metrics, artefacts)) or None,
        }
    )


COLLAPSE = ("max_compression", "critical_compression", "critical_by")
"""The columns about collapse."""


def critical(trial: Trial, artefacts: Artefacts) -> dict[str, Any]:
    """The columns about collapse; null where they were not asked for, or not computed."""
    info = artefacts.document(trial.collapse, layout.INFO) if trial.collapse else None
    return {name: info[name] if info else None for name in COLLAPSE}


def _reservations(trial: Trial, metrics: dict[str, Any], artefacts: Artefacts) -> Iterator[str]:
    """What a trial that is done lacks, and why: the network that it is compared with, counts that are null."""
    if (why := _failed(artefacts, trial.baseline_measure, layout.METRICS)) is not None:
        yield f"{BASELINE}: {why}"
    for key in trial.measured_apart:
        if (why := _failed(artefacts, key, layout.METRICS)) is not None:
            yield f"{_measured_in(artefacts.plan, key)} could not be measured: {why}"
    if trial.collapse and (why := _failed(artefacts, trial.collapse, layout.INFO)) is not None:
        yield f"the critical compression is not known: {why}"
    for name, doubt in metrics["uncounted"].items():
        yield f"{name} is not known: {doubt}"


def _measured_in(plan: Plan, key: Key) -> str:
    """The names of the metrics that a step measures."""
    step = plan.steps[key]
    assert isinstance(step, Measure)
    return and_list([metric.name for metric in step.metrics])


def _failed(artefacts: Artefacts, key: Key, name: str) -> str | None:
    """Why an artefact with this document failed; None if it is there, or has not been made yet."""
    if artefacts.document(key, name) is not None:
        return None
    status, why = artefacts.why_missing(key)
    return why if status == "failed" else None


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


def _layers(plan: Plan, artefacts: Artefacts) -> Iterator[dict[str, Any]]:
    for trial in plan.trials:
        metrics = artefacts.document(trial.measure, layout.METRICS)
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


def progress_of(plan: Plan, artefacts: Artefacts) -> dict[str, Any]:
    """The progress documents of the trainings that end in a trial's network, as far as the store has them."""
    trained = dict.fromkeys(trial.state for trial in plan.trials if isinstance(plan.steps[trial.state], Train))
    documents = {state: artefacts.document(state, layout.PROGRESS) for state in trained}
    return {state: document for state, document in documents.items() if document}


def _resources(plan: Plan, artefacts: Artefacts, made: set[Key]) -> list[dict[str, Any]]:
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
    return [
        {
            "kind": kind,
            "criterion": criterion,
            "steps": len(keys),
            "made": len(made.intersection(keys)),
            **_spent(artefacts, keys, made),
            "unshared": sum(unshared[key] for key in keys),
            "unshared_s": sum(alone[key] * artefacts.whole_s(key) for key in keys),
        }
        for (kind, criterion), keys in groups.items()
    ]


def _spent(artefacts: Artefacts, keys: Sequence[Key], made: set[Key]) -> dict[str, Any]:
    """What those of these steps took that have an artefact, whenever it was made."""
    spent = [manifest.made for key in keys if (manifest := artefacts.manifest(key)) is not None]
    joules = [each.energy_j for each in spent if each.energy_j is not None]
    return {
        "reused": len(spent) - len(made.intersection(keys)),
        "wall_s": sum(each.wall_s for each in spent),
        "cpu_s": sum(each.cpu_s for each in spent),
        "energy_j": sum(joules) if joules else None,
        "metered": len(joules),
        "peak_bytes": max((each.peak_bytes for each in spent), default=None),
        "device": ", ".join(sorted({each.device for each in spent})) or None,
    }


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


def _made_on(plan: Plan, artefacts: Artefacts) -> dict[HardwareClass, int]:
    """The number of steps behind the table that have an artefact, by the class of hardware that made it."""
    manifests = (artefacts.manifest(key) for key in plan.closure(plan.targets("retrain")))
    return counted(manifest.made.hardware_class for manifest in manifests if manifest is not None)


def _versions(plan: Plan, artefacts: Artefacts) -> dict[str, str]:
    """Of the machines that made the artefacts; where several differ, all of them."""
    seen: dict[str, set[str]] = {}
    for key in plan.steps:
        if (manifest := artefacts.manifest(key)) is not None:
            for name, version in {**manifest.made.versions, "hardware": manifest.made.hardware}.items():
                seen.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions)) for name, versions in seen.items()}
