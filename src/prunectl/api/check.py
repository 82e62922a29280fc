"""Checks of a study that need torch, in a worker: `plan --check`, and `run` before the first step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prunectl.base.errors import Problem, StudyError
from prunectl.base.text import plural

if TYPE_CHECKING:
    from prunectl.api.machine import Machine, Workers
    from prunectl.api.session import Session
    from prunectl.base.until import Until
    from prunectl.execute.engine import Engine
    from prunectl.store.hardware import HardwareClass


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A check that has found no problem."""

    here: HardwareClass | None
    """What the steps will be done on, if that is known."""
    unfinished: str = ""
    """Why not everything could be checked, as a sentence; empty if everything was."""


def check(session: Session, machine: Machine | None = None) -> Checked:
    """Build the network, read the data, ask scopes and structures. Raises StudyError with every problem found."""
    from prunectl.api.machine import Machine, settled

    workers = settled(machine or Machine(device="cpu", jobs=1, executor="local"))
    engine = workers.engine()
    try:
        return checked(session, engine, workers)
    finally:
        engine.stop()


def checked(session: Session, engine: Engine, workers: Workers, until: Until | None = None) -> Checked:
    """The same by an engine that exists already, which is left running.

    Raises NotInTimeError as well, if the run begins to stop before.
    """
    from prunectl.catalog.plug_ins import refuse_unreadable
    from prunectl.execute.outcome import Request, Status
    from prunectl.execute.preflight import check
    from prunectl.plan.preflight import PREFLIGHT, preflight

    refuse_unreadable()
    request = Request(
        key=PREFLIGHT,
        step=preflight(session.study, session.plan, session.content),
        store=session.store.address,
        data=session.data.absolute(),
        weights=session.weights,
        device=workers.device,
        threads=workers.threads,
        until=until,
    )
    outcome = check(engine, request)
    unfinished = f"the check before the first step could not be finished: {outcome.reason}"
    ended = outcome.status is Status.LOST
    if outcome.problems:
        count = plural(len(outcome.problems), "problem")
        hint = f"{unfinished}; there may be more problems" if ended else None
        raise StudyError(f"{session.path}: {count}", located(session, outcome.problems), hint=hint)
    return Checked(here=outcome.hardware_class, unfinished=unfinished if ended else "")


def located(session: Session, problems: Iterable[Problem]) -> list[Problem]:
    """The problems with the file, line and column, or the option, of the key that each is about."""
    from prunectl.study.placed import placed

    return placed(session.text, str(session.path), problems, session.overridden)
