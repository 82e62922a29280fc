"""The energy of a step, from the machine's counters. Nothing is estimated: without a counter there is no number.

On a GPU it is what NVML counts for the whole GPU while the step runs, including other users' work; it is unknown when
this run does several steps at once, since each would be assigned all of it. On the processor it is what RAPL counts
for all packages, divided by CPU time: a step that used half of the machine's busy CPU seconds is assigned half of the
joules, idle power included, so that concurrent steps never add up to more than was counted. Memory, the host of a
GPU, disks and the power supply are not included. By default only root may read RAPL's files.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from pathlib import Path

POWERCAP, STAT = Path("/sys/class/powercap"), Path("/proc/stat")
NVML = "libnvidia-ml.so.1"
TICK_S = 20.0
"""Seconds between two readings. A package's counter overflows after minutes of full load at the earliest."""


class Packages:
    """Counts the energy of the processor's packages from now on."""

    def __init__(self, powercap: Path = POWERCAP, stat: Path = STAT) -> None:
        """Raises OSError or ValueError if there is no counter to read."""
        self.stat = stat
        self.ranges = {zone / "energy_uj": int(_text(zone / "max_energy_range_uj")) for zone in _zones(powercap)}
        self.last = {file: int(_text(file)) for file in self.ranges}
        self.counted_uj = 0
        self.own_s, self.busy_s = own_s(), busy_s(stat)
        self.read = time.monotonic()
        if not self.ranges:
            raise OSError(f"no package in {powercap}")

    def tick(self) -> None:
        """Read the counters, unless they were read recently."""
        if time.monotonic() - self.read >= TICK_S:
            self._count()

    def joules(self) -> float:
        """The share of this process and of its children that have ended."""
        self._count()
        own = own_s() - self.own_s
        return self.counted_uj / 1e6 * min(1.0, own / max(own, busy_s(self.stat) - self.busy_s, 1e-9))

    def _count(self) -> None:
        self.read = time.monotonic()
        for file, most in self.ranges.items():
            now = int(_text(file))
            self.counted_uj += now - self.last[file] + (most if now < self.last[file] else 0)
            self.last[file] = now


class Gpu:
    """Counts the energy of one GPU from now on."""

    def __init__(self, uuid: str, library: str = NVML) -> None:
        """Raises OSError if NVML or its counter is not available."""
        self.nvml, self.handle = ctypes.CDLL(library), ctypes.c_void_p()
        name = uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"
        if self.nvml.nvmlInit_v2() or self.nvml.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(self.handle)):
            raise OSError(f"NVML does not know {name}")
        self.first = self._joules()

    def tick(self) -> None:
        """Nothing to do: its counter has 64 bits and never overflows."""

    def joules(self) -> float:
        """The energy of the whole GPU."""
        return self._joules() - self.first

    def _joules(self) -> float:
        counted_mj = ctypes.c_ulonglong()
        if self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle, ctypes.byref(counted_mj)):
            raise OSError("this GPU does not count its energy")
        return counted_mj.value / 1e3


class Meter:
    """The energy of a step's device from now on, if the device has a counter."""

    def __init__(self, uuid: str | None, jobs: int) -> None:
        """`uuid` names the GPU that the step runs on, None the processor; `jobs` is the number of concurrent steps."""
        self.counter: Packages | Gpu | None = None
        with contextlib.suppress(OSError, ValueError, AttributeError):  # an old NVML lacks a function
            if uuid is None:
                self.counter = Packages()
            elif jobs == 1:
                self.counter = Gpu(uuid)

    def tick(self) -> None:
        """To be called at least every few minutes."""
        if self.counter is not None:
            with contextlib.suppress(OSError, ValueError):
                self.counter.tick()

    def joules(self) -> float | None:
        """The energy so far; None if it is not measured."""
        with contextlib.suppress(OSError, ValueError):
            return self.counter.joules() if self.counter is not None else None
        return None


def counters() -> str:
    """The energy counters of this machine's processor, in words."""
    try:
        number = len(Packages().ranges)
        return f"RAPL, {number} package{'' if number == 1 else 's'}"
    except PermissionError:
        return "RAPL, but its files may not be read (chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj)"
    except (OSError, ValueError):
        return "none for the processor"


def own_s() -> float:
    """CPU seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


def busy_s(stat: Path = STAT) -> float:
    """CPU seconds that the whole machine was busy: user, nice, system and interrupts."""
    user, nice, system, _, _, irq, softirq, *_ = (int(number) for number in _text(stat).split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _zones(powercap: Path) -> list[Path]:
    """The packages: not the zones inside one, nor the platform, which would be counted twice."""
    return [zone for zone in sorted(powercap.glob("intel-rapl:*")) if _text(zone / "name").startswith("package")]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()
