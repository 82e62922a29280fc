"""Under which conditions networks are timed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """Everything besides the network that decides how long it takes: part of the key of what is measured."""

    machine: str
    """The model and the number of its cores of a processor, or the name of a GPU."""
    device: Literal["cpu", "cuda"]
    threads: int
    """CPU threads."""
    torch: str
    onnxruntime: str | None
    """The version of ONNX Runtime; None where the extra `onnx` is not installed."""
    batch_sizes: tuple[int, ...]
    repeats: int
    """Measurements of each variant and batch size, of which the median is taken."""
