"""What does steps: the engine that the driver talks to, and the executor that a user names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from prunectl.base.entry import Entry
from prunectl.execute.outcome import Outcome, Progress, Request
from prunectl.plan.steps import Key


class Engine(Protocol):
    """Where steps are done: on this machine, on a cluster."""

    jobs: int

    @property
    def running(self) -> Mapping[Key, object]:
        """The steps begun and not ended."""

    def start(self, request: Request) -> None:
        """Begin a step; there are fewer than `jobs` running."""

    def wait(self, timeout_s: float) -> Iterator[Outcome | Progress]:
        """What has been told since, waiting for it at most so long."""

    def stop(self) -> None:
        """End everything, losing as little as possible."""


class Executor(Entry):
    """An entry of the executors: what `--executor NAME` stands for."""

    def engine(self, jobs: int, imports: Sequence[str]) -> Engine:
        """An engine for up to `jobs` steps at once; `imports` are modules to have at hand before the first one."""
        raise NotImplementedError
