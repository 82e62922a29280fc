"""How long forward passes take, and how much memory they need: medians of repeated, interleaved runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from prunectl.base import resident

Call = Callable[[], object]

SAMPLE_S = 0.005
"""The least time of one measurement: what is faster is called several times in a row."""
MOST_CALLS = 1000
WARM_UP = 3


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Milliseconds of one call: the median of the measurements, and their quartiles."""

    ms: float
    ms_low: float
    ms_high: float
    calls: int
    """Calls in a row in each measurement."""


def interleaved(calls: Mapping[str, Call], repeats: int, device: torch.device) -> dict[str, Timing]:
    """Time each call `repeats` times, in turn, so that a slow moment of the machine hits all of them alike.

    The order turns by one place at each repetition: none always follows the same other.
    """
    clock = _on_gpu if device.type == "cuda" else _on_cpu
    numbers = {name: _calibrated(call, clock) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for turn in range(repeats):
        first = turn % len(names) if names else 0
        for name in names[first:] + names[:first]:
            samples[name].append(clock(calls[name], numbers[name]))
    return {name: _summary(taken, numbers[name]) for name, taken in samples.items()}


def _calibrated(call: Call, clock: Callable[[Call, int], float]) -> int:
    """Calls in a row that take SAMPLE_S, after a few that warm up caches and allocators."""
    clock(call, WARM_UP)
    once_s = clock(call, 1) / 1e3
    return max(1, min(MOST_CALLS, math.ceil(SAMPLE_S / max(once_s, 1e-9))))


def _on_cpu(call: Call, number: int) -> float:
    start = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - start) * 1e3 / number


def _on_gpu(call: Call, number: int) -> float:
    """By the GPU's own events: what is timed is its work, once it has begun."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    torch.cuda.synchronize()
    start.record()
    for _ in range(number):
        call()
    end.record()
    torch.cuda.synchronize()
    return float(start.elapsed_time(end)) / number


def _summary(samples: list[float], calls: int) -> Timing:
    low, middle, high = np.quantile(samples, (0.25, 0.5, 0.75)).tolist()
    return Timing(ms=middle, ms_low=low, ms_high=high, calls=calls)


def peak_bytes(load: Callable[[], Callable[[Tensor], Tensor]], images: Tensor) -> int | None:
    """The memory that loading a network and one pass of these images add at most; None where it is not known.

    On a GPU it is what torch allocates. On a processor it is how much the resident set of this process grows, after
    one pass that has loaded libraries and code.
    """
    load()(images)
    if images.device.type == "cuda":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated(images.device)
        torch.cuda.reset_peak_memory_stats(images.device)
        load()(images)
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated(images.device)) - before
    resident.trim()
    if not resident.forget_peak():
        return None
    held = resident.resident_bytes()
    load()(images)
    return max(0, resident.peak_resident_bytes() - held)
