"""The processor of this machine, as the system describes it."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def processor_name() -> str:
    """The model of the processor; empty where the system does not give one."""
    return described_as("model name") if CPUINFO.exists() else platform.processor() or platform.machine()


@cache
def described_as(name: str) -> str:
    """A line of what Linux reports about the first processor; empty if it has none, or on other systems."""
    try:
        lines = CPUINFO.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
