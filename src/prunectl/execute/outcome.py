"""What can become of a step, and what is told of it on the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from prunectl.plan.steps import Key, Step


class Status(Enum):
    """The ends of a step."""

    DONE = "done"
    REUSED = "reused"  # another process had made it in the meantime
    BUSY = "busy"  # another process is making it
    STOPPED = "stopped"  # asked to stop; it goes on another time
    DAMAGED = "damaged"  # a parent is not sound and has been set aside
    FAILED = "failed"  # an outcome, kept with its reason
    SKIPPED = "skipped"  # it rests on one that failed
    FATAL = "fatal"  # nothing else could be done either: the store is full, the data are missing


@dataclass(frozen=True, kw_only=True)
class Request:
    """Everything an engine needs to do one step, wherever it does it."""

    key: Key
    step: Step
    resume: Key | None
    store: Path
    data: Path
    device: str
    threads: int
    workers: int = 0
    """Processes that read pictures ahead; 0 reads them in the step's own."""
    snapshot_s: float = 20.0
    jobs: int = 1
    """Steps that the run does side by side."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a step ended. `reason` is for people; `damaged` the parent that was set aside."""

    key: Key
    status: Status
    reason: str = ""
    hint: str | None = None
    exit_code: int = 0
    wall_s: float = 0.0
    damaged: Key | None = None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Training steps done, of how many."""

    key: Key
    done: int
    total: int
