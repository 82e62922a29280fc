"""Checks of a study that need torch, in a worker: `plan --check`, and `run` before the first step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prunectl.base.errors import Problem, StudyError
from prunectl.base.text import plural

if TYPE_CHECKING:
    from prunectl.api.machine import Machine, Workers
    from prunectl.api.session import Session
    from prunectl.base.until import Until
    from prunectl.execute.engine import Engine
    from prunectl.store.hardware import HardwareClass


def check(session: Session, machine: Machine | None = None) -> None:
    """Build the network, read the data, ask scopes and structures. Raises StudyError with every problem found."""
    from prunectl.api.machine import Machine, settled

    workers = settled(machine or Machine(device="cpu", jobs=1, executor="local"))
    engine = workers.engine()
    try:
        checked(session, engine, workers)
    finally:
        engine.stop()


def checked(session: Session, engine: Engine, workers: Workers, until: Until | None = None) -> HardwareClass | None:
    """The same by an engine that exists already, which is left running. Returns what the steps will be done on.

    Raises NotInTimeError as well, if the run begins to stop before.
    """
    from prunectl.catalog.registered import refuse_unreadable
    from prunectl.execute.outcome import Request
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
    if outcome.problems:
        count = plural(len(outcome.problems), "problem")
        raise StudyError(f"{session.path}: {count}", located(session, outcome.problems))
    return outcome.hardware_class


def located(session: Session, problems: Iterable[Problem]) -> list[Problem]:
    """The problems with the file, line and column of the key that each is about, as far as the file has it."""
    from prunectl.study.locate import located

    return located(session.text, str(session.path), problems)
