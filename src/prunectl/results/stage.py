"""What a stage made, as plain rows: baselines, masks layer by layer, ablated masks with their originals, trials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load

from prunectl.plan.graph import Plan, Trial
from prunectl.plan.stage import Stage
from prunectl.results.artefacts import Artefacts
from prunectl.results.gather import critical, denominator
from prunectl.results.table import METRICS
from prunectl.store import layout
from prunectl.store.local import LocalStore

if TYPE_CHECKING:
    from prunectl.plan.steps import Key


def rows_of(plan: Plan, store: LocalStore, stage: Stage) -> list[dict[str, Any]]:
    """The rows of a stage, in the order of the plan. Raises DamagedError for an artefact that is not sound."""
    artefacts = Artefacts(plan, store)
    artefacts.read_ahead()
    if stage == "train":
        first = {trial.baseline: trial for trial in plan.trials}
        return [
            {
                "seed": trial.seed,
                "artefact": key,
                **_metrics(
                    artefacts, trial.baseline_measure, artefacts.document(trial.baseline_measure, layout.METRICS)
                ),
            }
            for key, trial in first.items()
        ]
    if stage == "retrain":
        return [
            {**_trial(trial), **_metrics(artefacts, trial.measure, artefacts.metrics(trial))} for trial in plan.trials
        ]
    pruned = [trial for trial in plan.trials if trial.plain_mask is not None]
    if stage == "prune":
        return [
            {**_trial(trial), "arm": name, **_mask(artefacts, trial, trial.plain_mask), **critical(trial, artefacts)}
            for trial, name in _unablated(pruned)
        ]
    plain = {_place(trial): trial.plain_mask for trial in pruned if trial.arm.ablation.changes != "ranking"}
    return [
        {
            **_trial(trial),
            "ablation": trial.arm.ablation.name,
            **_mask(artefacts, trial, trial.mask, plain.get(_place(trial))),
        }
        for trial in pruned
        if trial.arm.ablation.changes != "nothing"
    ]


def _unablated(pruned: list[Trial]) -> Iterator[tuple[Trial, str]]:
    """The trials whose own mask is the one that pruning made, each with the name of that mask's arm; an ablated trial
    only where no other has that mask, and without its ablation, which comes later.
    """
    own = {trial.plain_mask for trial in pruned if trial.arm.ablation.changes in ("nothing", "ranking")}
    for trial in pruned:
        if trial.arm.ablation.changes in ("nothing", "ranking"):
            yield trial, trial.arm.label
        elif trial.plain_mask not in own:
            own.add(trial.plain_mask)
            yield trial, trial.arm.unablated


def _place(trial: Trial) -> tuple[object, ...]:
    """What a trial has in common with the same one under another ablation."""
    others = {name: text for name, text in trial.arm.columns().items() if name != "ablation"}
    return *others.values(), trial.sparsity, trial.seed


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "arm": trial.arm.label,
        "sparsity": trial.sparsity,
        "compression": 1 / (1 - trial.sparsity),
        "seed": trial.seed,
    }


def _metrics(artefacts: Artefacts, measure: Key, metrics: dict[str, Any] | None) -> dict[str, Any]:
    if metrics is None:
        return {**{metric.name: None for metric in METRICS}, "reason": artefacts.why_missing(measure)[1]}
    return {metric.name: metrics[metric.name] for metric in METRICS if metric.name in metrics} | {"reason": None}


def _mask(artefacts: Artefacts, trial: Trial, mask: Key | None, original: Key | None = None) -> dict[str, Any]:
    """What a mask leaves, layer by layer; how much of it moved, if it is an ablated one and its original is there."""
    assert mask is not None
    info = artefacts.document(mask, layout.INFO)
    if info is None:
        return {"layers": None, "reason": artefacts.why_missing(mask)[1]}
    layers = [
        {"name": layer["name"], "n": layer["n"], "kept": layer["kept"], "sparsity": 1 - layer["kept"] / layer["n"]}
        for layer in info["layers"]
    ]
    for layer, moved in zip(layers, _moved(artefacts, original, mask, layers), strict=False):
        layer["moved"] = moved
    prunable, n_kept = (sum(layer[name] for layer in layers) for name in ("n", "kept"))
    of_all = denominator(artefacts.plan, trial) == "all"
    total, kept = (info["n_params"], info["n_nonzero"]) if of_all else (prunable, n_kept)
    return {
        "layers": layers,
        "artefact": mask,
        "n_kept": n_kept,
        "sparsity_of": denominator(artefacts.plan, trial),
        "sparsity_actual": 1 - kept / total,
        "compression_actual": total / kept if kept else None,
        "tied": info["tied"],
        "n_effective": _on_path(info),
        "uncounted": info.get("uncounted", {}),
        "layers_collapsed": [layer["name"] for layer in layers if layer["kept"] == 0],
        "remark": trial.arm.remark,
        "reason": None,
    }


def _on_path(info: dict[str, Any]) -> int | None:
    """Kept weights on a path from input to output; None where that is not known, or an earlier prunectl counted it."""
    if info.get("uncounted", {"n_effective": ""}):
        return None
    return sum(int(layer["effective"]) for layer in info["layers"])


def _moved(artefacts: Artefacts, plain: Key | None, ablated: Key, layers: list[dict[str, Any]]) -> list[float]:
    """Per layer, the fraction of places at which the ablated mask differs from the original; empty if one is gone."""
    if plain is None:
        return []
    original, changed = (artefacts.content(key, layout.MASK) for key in (plain, ablated))
    if original is None or changed is None:
        return []
    one, other = load(original), load(changed)
    return [float(np.bitwise_count(one[layer["name"]] ^ other[layer["name"]]).sum()) / layer["n"] for layer in layers]
