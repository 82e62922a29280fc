"""Time a network in every variant, next to the dense one: milliseconds, memory, bytes on disk."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prunectl.base.errors import MethodError, described
from prunectl.base.rng import generator
from prunectl.plan.steps import Latency
from prunectl.pruning import mask as masking
from prunectl.store import layout
from prunectl.training.pixels import memory_format
from prunectl.work import onnx_file
from prunectl.work.context import Context, Inputs
from prunectl.work.masks import read_masks
from prunectl.work.networks import restored
from prunectl.work.stopwatch import interleaved, peak_bytes
from prunectl.work.tensors import write_json
from prunectl.work.variants import VARIANTS, Forward, Networks, Variant

CPU = torch.device("cpu")
IMAGES = 8
"""Random images on which each variant must compute what the masked network does."""
REFERENCE = "dense"
"""The variant that computes something else than the masked network."""


def perform(step: Latency, inputs: Inputs, out: Path, context: Context) -> None:
    """Leaves a row for each variant and batch size. A variant that cannot be made has nulls and the reason."""
    networks = _networks(step, inputs, context.device)
    rows: list[dict[str, Any]] = []
    variants: dict[str, Variant] = {}
    for name, make in VARIANTS.items():
        try:
            variants[name] = _checked(name, make(networks), networks)
        except MethodError as error:
            rows += _absent(name, step, str(error))
        except (RuntimeError, NotImplementedError) as error:  # a kernel that this build of torch does not have
            rows += _absent(name, step, described(error))
    total = len(step.conditions.batch_sizes) * 2
    for place, size in enumerate(step.conditions.batch_sizes):
        with torch.inference_mode():
            images = _images(size, networks)
            gc.collect()  # what is freed while memory is measured would hide what is added
            memory = {name: peak_bytes(variant.load, images) for name, variant in variants.items()}
            context.progress(2 * place + 1, total)
            timings = interleaved(_calls(variants, images), step.conditions.repeats, context.device)
            context.progress(2 * place + 2, total)
        rows += [
            {
                "variant": name, "batch": size, **asdict(timings[name]), "peak_bytes": memory[name],
                "size_bytes": variant.size_bytes, "note": variant.note, "reason": None,
            }
            for name, variant in variants.items()
        ]  # fmt: skip
    order = list(VARIANTS)
    rows.sort(key=lambda row: (order.index(row["variant"]), row["batch"]))
    write_json(out / layout.LATENCY, {"conditions": asdict(step.conditions), "rows": rows})


def _networks(step: Latency, inputs: Inputs, device: torch.device) -> Networks:
    masks = read_masks(inputs.get("mask")) or {}
    dense, masked = (restored(step.network, step.seed, inputs[role], CPU).eval() for role in ("dense", "state"))
    masking.apply(masks, masked)
    return Networks(
        dense=dense, dense_key=inputs["dense"].name, masked=masked, masks=masks, shape=step.network.shape,
        device=device, threads=step.conditions.threads,
    )  # fmt: skip


def _images(size: int, networks: Networks) -> Tensor:
    images = torch.randn((size, *networks.shape), generator=generator(size, "latency"))
    return images.to(networks.device).contiguous(memory_format=memory_format(networks.dense))


def _checked(name: str, variant: Variant, networks: Networks) -> Variant:
    """The variant, once it was seen to compute what the masked network does. Raises MethodError."""
    if name.removeprefix("onnx-") == REFERENCE:
        return variant
    images = _images(IMAGES, networks)
    with torch.inference_mode():
        outputs = variant.load()(images).cpu()
        expected = networks.masked(images.cpu())
    worst = float((outputs - expected).abs().max())
    allowed = (onnx_file.TOLERANCE if networks.device == CPU else 1e-3) * max(1.0, float(expected.abs().max()))
    if not worst <= allowed:
        raise MethodError(f"its outputs differ from those of the masked network by {worst:.2g}")
    return variant


def _absent(name: str, step: Latency, reason: str) -> Iterator[dict[str, Any]]:
    numbers = dict.fromkeys(("ms", "ms_low", "ms_high", "calls", "peak_bytes", "size_bytes", "note"))
    for size in step.conditions.batch_sizes:
        yield {"variant": name, "batch": size, **numbers, "reason": reason}


def _calls(variants: dict[str, Variant], images: Tensor) -> dict[str, Callable[[], object]]:
    loaded: dict[str, Forward] = {name: variant.load() for name, variant in variants.items()}
    return {name: partial(forward, images) for name, forward in loaded.items()}
