"""Timing on a GPU: by its own events, its own memory, and without ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from prunectl.models.tiny import TinyCnn
from prunectl.work import stopwatch
from unit.work.test_latency import measured

GPU = torch.device("cuda")


def test_a_network_is_timed_in_the_variants_that_a_gpu_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopwatch, "SAMPLE_S", 0.0)
    rows = measured(tmp_path, TinyCnn(), 0.5, structured=True, device=GPU)
    for name in ("dense", "masked", "compact", "torch-prune"):
        assert all(row["ms"] > 0 and row["peak_bytes"] > 0 for row in rows[name]), name
    assert rows["onnx"][0]["reason"] == "ONNX Runtime is timed on the processor only"


def test_memory_is_what_torch_allocates() -> None:
    def load() -> Callable[[Tensor], Tensor]:
        weights = torch.ones(10_000_000, device=GPU)
        return lambda images: weights * 2 + images

    peak = stopwatch.peak_bytes(load, torch.ones(1, device=GPU))
    assert peak is not None and 80_000_000 <= peak < 130_000_000


def test_a_longer_kernel_takes_longer() -> None:
    def product(size: int) -> Tensor:
        return torch.ones(size, size, device=GPU) @ torch.ones(size, size, device=GPU)

    timings = stopwatch.interleaved({"short": lambda: product(64), "long": lambda: product(4096)}, 5, GPU)
    assert timings["long"].ms > timings["short"].ms
