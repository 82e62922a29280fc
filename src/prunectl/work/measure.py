"""Measure a network: its metrics on the whole test set, and what is left of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from torch import nn

from prunectl.models.flops import layer_flops
from prunectl.plan.steps import Measure
from prunectl.pruning import mask as masking
from prunectl.pruning.prunable import prunable
from prunectl.store import layout
from prunectl.training.evaluate import evaluate
from prunectl.training.pixels import memory_format
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import described, read_layers, read_masks
from prunectl.work.material import hold, normalize_of, parts_of
from prunectl.work.networks import empty, restored
from prunectl.work.tensors import write_json

BYTES = 4  # of a float32


def perform(step: Measure, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves one document of numbers: metrics (null where not finite), counts, bytes."""
    network = restored(step.network, inputs["state"], context.device)
    mask = inputs.get("mask")
    masks = read_masks(mask) or masking.dense(prunable(network, step.exclude))
    layers = described(masks, empty(step.network), step.network.shape) if mask is None else read_layers(mask)
    masking.apply(masks, network)
    network.to(memory_format=memory_format(network))
    _, test = parts_of(step.data, context)
    score = evaluate(network, hold(test, memory_format(network)), normalize_of(step.data, context), step.metrics)
    entries = sum(int((~mask).sum()) for mask in masks.values() if mask.dim() == 1)
    write_json(
        out / layout.METRICS,
        {name: value if math.isfinite(value) else None for name, value in score.items()}
        | what_is_left(network, layers, entries, step.network.shape),
    )


def what_is_left(
    network: nn.Module, layers: list[dict[str, Any]], entries: int, shape: tuple[int, int, int]
) -> dict[str, Any]:
    """Counts of weights per layer and in all, FLOPs of one image, and bytes; `entries` are other parameters gone.

    Bytes: parameters and statistics as float32; pruned, only the kept weights and one bit of mask per prunable one.
    """
    n_params = sum(parameter.numel() for parameter in network.parameters())
    n_prunable, kept, on_path = (sum(layer[name] for layer in layers) for name in ("n", "kept", "effective"))
    gone = n_prunable - kept + entries
    flops = layer_flops(network, shape)
    saved = sum(flops.get(layer["name"], 0) * (1 - layer["kept"] / layer["n"]) for layer in layers)
    stored = n_params + sum(buffer.numel() for buffer in network.buffers() if buffer.is_floating_point())
    return {
        "layers": layers,
        "n_params": n_params,
        "n_prunable": n_prunable,
        "n_nonzero": n_params - gone,
        "n_effective": n_params - n_prunable + on_path - entries,
        "flops": sum(flops.values()) - saved,
        "flops_dense": float(sum(flops.values())),
        "size_bytes": BYTES * (stored - gone) + (math.ceil(n_prunable / 8) if gone else 0),
        "size_bytes_dense": BYTES * stored,
    }
