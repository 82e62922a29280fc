"""The machine that a step runs on: made deterministic, and described for the artefact."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

import numpy
import safetensors
import torch

from prunectl.base import resident
from prunectl.base.precision import round_products
from prunectl.base.processor import described_as, processor_name
from prunectl.base.version import __version__
from prunectl.store.hardware import CPU, HardwareClass

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h


def settle(threads: int) -> None:
    """Make the bits depend on the step alone: a fixed number of threads, deterministic kernels, no TF32."""
    keep_memory()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    round_products("ieee")


def keep_memory() -> None:
    """Let glibc keep freed memory: a training asks for the same large blocks at every step.

    If they were returned, each of their pages would fault again: up to a third of a step of a small CNN.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def flush() -> None:
    """Write out what C code has printed."""
    ctypes.CDLL(None).fflush(None)


def forget_peak(device: torch.device) -> None:
    """Let `peak_bytes` be that of what follows; where the system cannot do that, it is that of the process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    resident.forget_peak()


def peak_bytes(device: torch.device) -> int:
    """The most memory used since `forget_peak`, or so far.

    On a GPU it is what torch allocated, else the resident set of this process.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resident.peak_resident_bytes()


def uuid(device: torch.device) -> str | None:
    """The UUID of a GPU, or None for the processor."""
    return str(torch.cuda.get_device_properties(device).uuid) if device.type == "cuda" else None


def device_name(device: torch.device) -> str:
    """The name of a GPU, or 'cpu'."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def cpu_name() -> str:
    """The model of the processor; empty where the system does not give one."""
    return processor_name()


def device_class(device: torch.device) -> str:
    """The class of devices that gives the same bits: the model of a GPU, or the instructions of a processor.

    torch and its libraries choose their code by instruction set, and MKL also by the processor's vendor.
    """
    if device.type == "cuda":
        return f"cuda/{torch.cuda.get_device_name(device)}"
    parts = [CPU, platform.machine(), torch.backends.cpu.get_cpu_capability(), described_as("vendor_id")]
    return "/".join(part for part in parts if part)


def hardware_class(device: torch.device, threads: int) -> HardwareClass:
    """The class of a step that is given this number of threads."""
    return HardwareClass(device=device_class(device), threads=None if device.type == "cuda" else threads)


def versions() -> dict[str, str]:
    """The versions that can change the bits of an artefact."""
    return {
        "prunectl": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "safetensors": safetensors.__version__,
    }
