"""Measure a network: its metrics on all images of a part of the data, and what is left of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from torch import nn

from prunectl.base.operations import UncountedError
from prunectl.catalog.masks import Masks
from prunectl.models.flops import Flops
from prunectl.plan.steps import Measure
from prunectl.pruning import mask as masking
from prunectl.pruning.denominator import number_of_parameters
from prunectl.pruning.prunable import prunable
from prunectl.store import layout
from prunectl.training.evaluate import answers, scored
from prunectl.training.pixels import memory_format
from prunectl.work import last_logits
from prunectl.work.context import Context, Inputs
from prunectl.work.costs import costs_of
from prunectl.work.last_logits import LastTest
from prunectl.work.masks import described, read_described, read_masks
from prunectl.work.material import hold, normalize_of, part_of
from prunectl.work.networks import empty, restored
from prunectl.work.tensors import or_null, write_json

BYTES = 4  # of a float32


def perform(step: Measure, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves one document of numbers: metrics (null where not finite); for the test images also counts, bytes."""
    network = restored(step.network, step.seed, inputs["state"], context.device)
    mask = inputs.get("mask")
    masks = read_masks(mask) or masking.dense(prunable(network, step.exclude))
    masking.apply(masks, network)
    network.to(memory_format=memory_format(network))
    numbers: dict[str, Any] = dict(or_null(_score(step, network, context)))
    if step.part == "test":
        left = read_described(mask) if mask is not None else None
        left = left or described(masks, empty(step.network, step.seed), step.network.shape)
        entries = sum(int((~mask).sum()) for mask in masks.values() if mask.dim() == 1)
        numbers |= what_is_left(
            network, masks, left, entries, lambda of: costs_of(step.network, step.seed, network, of)
        )
    write_json(out / layout.METRICS, numbers)


def _score(step: Measure, network: nn.Module, context: Context) -> dict[str, float]:
    """The metrics by name. The last test of a training that this worker has just done is not repeated."""
    source = part_of(step.data, step.part, context)
    test = LastTest(state=step.state, mask=step.mask, data=step.data, device=context.device)
    known = last_logits.kept(test) if step.part == "test" else None
    if known is not None:
        return scored(known, source.labels, step.metrics)
    images = hold(source, memory_format(network))
    return scored(answers(network, images, normalize_of(step.data, context)), images.labels, step.metrics)


def what_is_left(
    network: nn.Module, masks: Masks, left: dict[str, Any], entries: int, costs: Callable[[Collection[str]], Flops]
) -> dict[str, Any]:
    """Counts of weights per layer and in all, FLOPs of one image, and bytes; `entries` are other parameters gone.

    `left` is what the masks leave of each layer, `costs` counts the FLOPs of the network and of weights. A count that
    is not known is null, and `uncounted` has the reason.
    Bytes: parameters and statistics as float32; pruned, only the kept weights and one bit of mask per prunable one.
    """
    layers, uncounted = left["layers"], dict(left["uncounted"])
    n_params = number_of_parameters(network)
    n_prunable, kept = (sum(layer[name] for layer in layers) for name in ("n", "kept"))
    on_path = None if uncounted else sum(layer["effective"] for layer in layers)
    gone = n_prunable - kept + entries
    stored = n_params + sum(buffer.numel() for buffer in network.buffers() if buffer.is_floating_point())
    return {
        "layers": layers,
        "n_params": n_params,
        "n_prunable": n_prunable,
        "n_nonzero": n_params - gone,
        "n_effective": None if on_path is None else n_params - n_prunable + on_path - entries,
        **_flops(masking.of_weights(masks), costs, uncounted),
        "size_bytes": BYTES * (stored - gone) + (math.ceil(n_prunable / 8) if gone else 0),
        "size_bytes_dense": BYTES * stored,
        "uncounted": uncounted,
    }


def _flops(
    masks: Masks, costs: Callable[[Collection[str]], Flops], uncounted: dict[str, str]
) -> dict[str, float | None]:
    """FLOPs under the masks and dense, or null and a reason."""
    counts: dict[str, float | None] = {"flops": None, "flops_dense": None}
    try:
        flops = costs(masks)
        counts["flops_dense"] = float(flops.dense)
        counts["flops"] = flops.pruned(masks)
    except UncountedError as error:
        uncounted["flops"] = str(error)
    return counts
