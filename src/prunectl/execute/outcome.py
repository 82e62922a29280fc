"""What an engine is asked to do, what is reported on the way, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from prunectl.base.errors import Problem
from prunectl.base.until import Until
from prunectl.catalog.hook import Shown
from prunectl.plan.preflight import Preflight
from prunectl.plan.steps import Key, Step
from prunectl.store.hardware import HardwareClass


class Status(Enum):
    """How a step ended."""

    DONE = "done"
    REUSED = "reused"  # another process had made it in the meantime
    BUSY = "busy"  # another process is making it
    STOPPED = "stopped"  # asked to stop; another run continues it
    DAMAGED = "damaged"  # a parent was damaged and has been set aside
    LOST = "lost"  # its worker died; the driver starts it once more
    FAILED = "failed"  # an outcome, kept with its reason
    SKIPPED = "skipped"  # it depends on a step that failed
    FATAL = "fatal"  # no other step could be done either: the store is full, the data are missing


@dataclass(frozen=True, kw_only=True)
class Request:
    """Everything an engine needs to do one step, or the check before the first, wherever it does it."""

    key: Key
    step: Step | Preflight
    resume: Key | None = None
    store: Path | str
    """Its `address`: a directory or a URL."""
    data: Path
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Files of weights to begin from, by the digest of their tensors."""
    device: str
    devices: tuple[str, ...] = ()
    """Devices of which an engine chooses one; none if `device` is the only one."""
    threads: int
    workers: int = 0
    """Processes that read pictures ahead; with 0 the step's own process reads them."""
    snapshot_s: float = 20.0
    jobs: int = 1
    """Number of steps that the run does at once."""
    until: Until | None = None
    """By when the run has stopped: an engine has ended the request then, with a snapshot left if there was time."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a step ended. `reason` is for people; `damaged` is the parent that was set aside."""

    key: Key
    status: Status
    reason: str = ""
    hint: str | None = None
    exit_code: int = 0
    wall_s: float = 0.0
    damaged: Key | None = None
    alive: bool = False
    """Of a step that another process is making: whether that process is known to live."""
    problems: tuple[Problem, ...] = ()
    """What a preflight found."""
    hardware_class: HardwareClass | None = None
    """Of a preflight: where the steps of this run will be done."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Training steps done, their total, and what the training shows of itself."""

    key: Key
    done: int
    total: int
    shown: Shown | None = None


@dataclass(frozen=True, kw_only=True)
class Checking:
    """How far a preflight has come, reported before it runs code that may end its worker."""

    key: Key
    subject: str
    """What it looks at next: 'criterion file:mine.py:Mine'."""
    problems: tuple[Problem, ...]
    """What it has found so far."""
    hardware_class: HardwareClass
    """Where the steps of this run will be done."""


@dataclass(frozen=True, kw_only=True)
class WorkersChanged:
    """How many workers a run has, and where: when it begins, and when that changes."""

    label: str
    """'4 workers on cuda:0 and cuda:1'."""


@dataclass(frozen=True, kw_only=True)
class Going:
    """The steps that are being done at this moment; reported about twice a second while a run waits for them."""

    keys: tuple[Key, ...]


Event = Outcome | Progress | WorkersChanged | Going
"""What a run reports."""
