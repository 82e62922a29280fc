"""Doing the steps of a plan that are missing, up to a stage."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from prunectl.api.check import checked
from prunectl.api.machine import Machine, settled

if TYPE_CHECKING:
    from prunectl.api.machine import Workers
    from prunectl.api.session import Session
    from prunectl.execute.driver import Listener, Tally
    from prunectl.execute.outcome import Request
    from prunectl.plan.explain import Todo
    from prunectl.plan.stage import Stage
    from prunectl.plan.steps import Key

    Show = Callable[[Todo], AbstractContextManager[Listener]]
    """Gives the listener of a run, once it is known what there is to do."""


def silently(todo: Todo) -> AbstractContextManager[Listener]:
    """The listener that shows nothing."""
    return nullcontext(lambda event: None)


def todo_of(session: Session, stage: Stage, *, retry_failed: bool = False) -> Todo:
    """What is to do up to a stage, and why. With `retry_failed`, failures that would be final too."""
    from prunectl.plan.explain import explain

    def failure(key: str) -> str | None:
        recorded = session.store.failure(key)
        return None if recorded is None else "crash" if retry_failed else recorded["kind"]

    return explain(
        session.plan,
        session.plan.targets(stage),
        has=session.store.has,
        failure=failure,
        under_way=session.store.under_way,
    )


def make(
    session: Session,
    stage: Stage,
    machine: Machine | None = None,
    *,
    retry_failed: bool = False,
    show: Show = silently,
) -> Tally:
    """Check the study in a worker, then do every step that is missing up to a stage. Nothing, if none is missing.

    Raises StudyError for problems that only torch can find, FatalError if no step can be done, InterruptedRunError.
    """
    from prunectl.execute.driver import Tally, drive

    workers = settled(machine or Machine())
    todo = todo_of(session, stage, retry_failed=retry_failed)
    before = dict.fromkeys(todo.failed, "failed before")
    if not todo.todo:
        return Tally(reused=set(todo.reused), failed=dict(before))
    session.store.sweep()
    engine = workers.executor.engine(workers.jobs, session.study.data.dataset.imports)
    with contextlib.ExitStack() as stack:
        stack.callback(engine.stop)
        checked(session, engine)
        listen = stack.enter_context(show(todo))
        tally = drive(session.plan, todo, engine, lambda key: _request(session, workers, key), listen)
    tally.failed.update(before)
    return tally


def _request(session: Session, workers: Workers, key: Key) -> Request:
    from prunectl.execute.outcome import Request

    return Request(
        key=key,
        step=session.plan.steps[key],
        resume=session.plan.follows.get(key),
        store=session.store.root.absolute(),
        data=session.data.absolute(),
        weights=session.weights,
        device=workers.device,
        threads=workers.threads,
        workers=workers.readers,
        jobs=workers.jobs,
    )
