"""What a run hands on until its last step: what it makes of which session, where, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.machine import Machine, Workers
    from prunectl.api.session import Session
    from prunectl.execute.driver import Listener
    from prunectl.plan.explain import Todo
    from prunectl.plan.graph import Plan
    from prunectl.plan.stage import Stage

    Show = Callable[[Plan, Todo], AbstractContextManager[Listener]]
    """Gives the listener of a run, once the plan and what there is to do of it are known."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Missing:
    """The steps that a session lacks up to a stage, the workers that make them, and who hears of it."""

    session: Session
    stage: Stage
    todo: Todo
    machine: Machine
    """Where steps run, as it was asked for."""
    workers: Workers
    """The same with everything settled."""
    show: Show
    warn: Warn

    def listening(self) -> AbstractContextManager[Listener]:
        """The listener to what becomes of the steps."""
        return self.show(self.session.plan, self.todo)
