"""The engine that the driver talks to. An executor (`prunectl.catalog.executor`), which a user names, gives one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from prunectl.catalog.executor import Executor
from prunectl.execute.outcome import Outcome, Progress, Request
from prunectl.plan.steps import Key

__all__ = ["Engine", "Executor"]


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
