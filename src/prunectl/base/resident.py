"""The memory that this process holds: now, and at most since a moment. Freed memory can be given back."""

from __future__ import annotations

import ctypes
import platform
import resource
import sys
from pathlib import Path

STATM, CLEAR_REFS = Path("/proc/self/statm"), Path("/proc/self/clear_refs")


def resident_bytes() -> int:
    """The memory that this process holds now, shared pages included; where that is not known, the most so far."""
    try:
        return int(STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return peak_resident_bytes()


def forget_peak() -> bool:
    """Let `peak_resident_bytes` be that of what follows. False where the system cannot do that."""
    try:
        CLEAR_REFS.write_text("5")
    except OSError:
        return False
    return True


def peak_resident_bytes() -> int:
    """The most memory that this process has held since `forget_peak`, or so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def trim() -> None:
    """Return freed memory to the system, where glibc keeps it."""
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
