"""The engine that the driver uses. An executor (`prunectl.catalog.executor`), which a user names, provides one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from prunectl.catalog.executor import Executor
from prunectl.execute.outcome import Checking, Event, Request
from prunectl.plan.steps import Key

__all__ = ["Engine", "Executor", "NotInTimeError"]


class NotInTimeError(Exception):
    """A request could not be started before its run begins to stop."""


class Engine(Protocol):
    """Where steps are done: on this machine, on a cluster."""

    @property
    def jobs(self) -> int:
        """The number of steps at once: it changes where machines come and go."""

    @property
    def running(self) -> Mapping[Key, object]:
        """The requests that have been started and have not ended."""

    def start(self, request: Request) -> None:
        """Start a request; fewer than `jobs` are running. Raises NotInTimeError, which leaves it undone."""

    def wait(self, timeout_s: float) -> Iterator[Event | Checking]:
        """What has been reported since the last call; waits for a report at most this long."""

    def stop(self) -> None:
        """End everything, losing as little as possible, at the latest when requests are `until`.

        Calling it again does nothing.
        """
