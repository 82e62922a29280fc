"""The files of artefacts: tensors as safetensors, everything else as JSON. Never pickle."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor


def write_json(path: Path, value: Any) -> None:
    """One JSON document, keys in the order given; floats round-trip exactly."""
    path.write_text(json.dumps(value, allow_nan=False, indent=1) + "\n")


def or_null(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Numbers as JSON can hold them: None for those that are not finite."""
    return {name: number if math.isfinite(number) else None for name, number in numbers.items()}


def read_json(path: Path) -> Any:
    """The document of `write_json`."""
    return json.loads(path.read_bytes())


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Named contiguous CPU tensors."""
    save_file(dict(tensors), path)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of `write_tensors`."""
    return load_file(path)
