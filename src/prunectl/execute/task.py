"""What a driver and its workers send each other, besides progress."""

from __future__ import annotations

from dataclasses import dataclass

from prunectl.execute.outcome import Outcome
from prunectl.plan.steps import Key


@dataclass(frozen=True, kw_only=True)
class Task:
    """A request on its way to a worker: pickled apart, so that a module that fails to import there is an outcome."""

    key: Key
    packed: bytes


@dataclass(frozen=True, kw_only=True)
class Done:
    """The outcome of a task, and whether the worker ends after it."""

    outcome: Outcome
    leaving: bool
