"""How much memory a device has."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import torch

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux has the limit of a container."""


def memory_bytes(device: torch.device) -> int:
    """Bytes of memory of the GPU, or of the machine, as far as a container may use it."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for limit in LIMITS:
        with suppress(OSError, ValueError):  # no such file, or "max"
            sizes.append(int(limit.read_text()))
    return min(sizes)
