"""Prune each layer of a dense network alone, and measure what that costs."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from torch import Tensor

from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.catalog.masks import Pruned
from prunectl.plan.steps import Sensitivity
from prunectl.pruning import mask as masking
from prunectl.pruning.cut import Cut
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.store import layout
from prunectl.training.evaluate import evaluate
from prunectl.training.pixels import memory_format
from prunectl.work.context import Context, Inputs
from prunectl.work.material import hold, normalize_of, part_of
from prunectl.work.networks import restored
from prunectl.work.tensors import or_null, read_tensors, write_json


def perform(step: Sensitivity, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a row for each prunable layer: its metrics, or nulls and the reason why it cannot be pruned alone."""
    network = restored(step.network, step.seed, inputs["state"], context.device)
    network.to(memory_format=memory_format(network))
    traced = restored(step.network, step.seed, inputs["state"], context.device).cpu()
    cut = Cut(units=step.structure.units(traced, step.network.shape), scope=Layerwise())
    scores = read_tensors(inputs["scores"] / layout.SCORES)
    images = hold(part_of(step.data, "test", context), memory_format(network))
    normalize = normalize_of(step.data, context)
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(_in_order(dict(network.named_parameters()), scores)):
        context.progress(place + 1, len(scores))
        row: dict[str, Any] = {"layer": name.removesuffix(".weight"), "n": scores[name].numel()}
        try:
            pruned = _pruned(step, cut, {name: scores[name]})
        except MethodError as error:
            rows.append(row | {metric.name: None for metric in step.metrics} | {"gone": None, "reason": str(error)})
            continue
        without = copy.deepcopy(network)
        masking.apply(pruned.masks, without)
        measured = evaluate(without, images, normalize, step.metrics)
        gone = int((~pruned.masks[name]).sum())
        rows.append(row | or_null(measured) | {"gone": gone, "reason": None})
    write_json(out / layout.SENSITIVITY, {"rows": rows})


def _in_order(parameters: dict[str, Tensor], scores: dict[str, Tensor]) -> list[str]:
    """The layers from input to output; a file of tensors has its own order."""
    return [name for name in parameters if name in scores]


def _pruned(step: Sensitivity, cut: Cut, scores: dict[str, Tensor]) -> Pruned:
    """One layer without its lowest scores. A structure sees no other layer, so nothing else is removed."""
    return cut.masks(scores, step.rate, generator=generator(step.seed, "ties"))
