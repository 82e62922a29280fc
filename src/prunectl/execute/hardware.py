"""The machine that a step runs on: made deterministic, and described for the artefact."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import sys
from pathlib import Path

import numpy
import safetensors
import torch

from prunectl.base.version import __version__

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h


def settle(threads: int) -> None:
    """Make the bits depend on the step alone: a fixed number of threads, deterministic kernels, no TF32."""
    keep_memory()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def keep_memory() -> None:
    """Let glibc keep freed memory: a training asks for the same large blocks at every step.

    If they were returned, each of their pages would fault again: up to a third of a step of a small CNN.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def peak_bytes(device: torch.device) -> int:
    """The most memory used so far: on a GPU what torch allocated, else the resident set of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def uuid(device: torch.device) -> str | None:
    """The UUID of a GPU, or None for the processor."""
    return str(torch.cuda.get_device_properties(device).uuid) if device.type == "cuda" else None


def device_name(device: torch.device) -> str:
    """The name of a GPU, or 'cpu'."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def cpu_name() -> str:
    """The model of the processor; empty where the system does not give one."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def versions() -> dict[str, str]:
    """The versions that can change the bits of an artefact."""
    return {
        "prunectl": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "safetensors": safetensors.__version__,
    }
