"""Doing the steps of a plan that are missing, up to a stage."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from prunectl.api.check import check, checked
from prunectl.api.damage import warn_in_log
from prunectl.api.granted import grown
from prunectl.api.machine import Machine, settled
from prunectl.api.missing import Missing
from prunectl.api.runs import record, seeds_by_arm
from prunectl.base.errors import StoreError
from prunectl.base.text import and_list, plural

if TYPE_CHECKING:
    from prunectl.api.check import Checked
    from prunectl.api.damage import Warn
    from prunectl.api.machine import Workers
    from prunectl.api.missing import Show
    from prunectl.api.session import Session
    from prunectl.base.until import Until
    from prunectl.execute.driver import Listener, Tally
    from prunectl.execute.outcome import Event, Outcome, Request
    from prunectl.plan.explain import Todo
    from prunectl.plan.graph import Plan
    from prunectl.plan.stage import Stage
    from prunectl.plan.steps import Key
    from prunectl.store.hardware import HardwareClass

SHOWN = 4
"""Maximum number of arms that a message names."""


def silently(plan: Plan, todo: Todo) -> AbstractContextManager[Listener]:
    """The listener that shows nothing."""
    return nullcontext(lambda event: None)


def todo_of(session: Session, stage: Stage, *, retry_failed: bool = False) -> Todo:
    """What is to do up to a stage, and why. With `retry_failed`, failures that would be final too."""
    from prunectl.plan.explain import explain
    from prunectl.store import layout

    failed, under_way = (session.store.listed(folder) for folder in (layout.FAILURES, layout.SNAPSHOTS))

    session.store.refresh()

    def failure(key: str) -> str | None:
        if key not in failed:
            return None
        recorded = session.store.failure(key)
        return None if recorded is None else "crash" if retry_failed else recorded["kind"]

    return explain(
        session.plan,
        session.plan.targets(stage),
        has=session.store.has,
        failure=failure,
        under_way=under_way.__contains__,
    )


def make(
    session: Session,
    stage: Stage,
    machine: Machine | None = None,
    *,
    retry_failed: bool = False,
    show: Show = silently,
    warn: Warn = warn_in_log,
) -> Tally:
    """Check the study in a worker, then do every step that is missing up to a stage. Nothing, if none is missing.

    The run is recorded in the store before its first step, so that `cache gc` keeps what it needs.
    `warn` is called before the first step if the steps that are reused were made on another class of hardware.
    Raises StudyError for problems that only torch can find, StoreError for a store that cannot be written,
    FatalError if no step can be done, InterruptedRunError.
    """
    from prunectl.execute.driver import Tally

    machine = machine or Machine()
    workers = settled(machine)
    todo = todo_of(session, stage, retry_failed=retry_failed)
    failed = {key: _reason(session, key) for key in todo.failed}
    skipped = {key: failed[cause] for key, cause in todo.skipped.items()}
    if not todo.todo:
        workers.executor.stop_early()
        _record_if_possible(session, stage, warn)
        return Tally(reused=set(todo.reused), failed=failed, skipped=skipped)
    session.store.require_writable()
    session.store.sweep()
    missing = Missing(session=session, stage=stage, todo=todo, machine=machine, workers=workers, show=show, warn=warn)
    tally = _pulled(missing) if workers.executor.pulls else _driven(missing)
    tally.failed.update(failed)
    tally.skipped.update(skipped)
    return tally


def make_looking(
    session: Session,
    stage: Stage,
    machine: Machine | None = None,
    *,
    retry_failed: bool = False,
    show: Show = silently,
    warn: Warn = warn_in_log,
) -> tuple[Session, Tally]:
    """The same as `make`, and where seeds are added, again after each look that grants more; the session at the end.

    A run that leaves steps to others looks no further: their trials are not there yet.
    """
    tally = make(session, stage, machine, retry_failed=retry_failed, show=show, warn=warn)
    while stage == "retrain" and not tally.left:
        after = grown(session, warn=warn)
        if after is session:
            break
        warn(granting(session.plan, after.plan))
        session = after
        tally = tally.followed_by(make(session, stage, machine, retry_failed=retry_failed, show=show, warn=warn))
    return session, tally


def granting(before: Plan, after: Plan) -> str:
    """Which arms get more seeds after a look, and how many they have then."""
    had, have = seeds_by_arm(before), seeds_by_arm(after)
    added = {label: seeds for label, seeds in have.items() if seeds > had.get(label, 0)}
    most = max(added.values(), default=0)
    arms = and_list([*list(added)[:SHOWN], *([plural(len(added) - SHOWN, "more arm")] if len(added) > SHOWN else [])])
    return f"claims are open: more seeds for {arms}, up to {most}"


def _driven(missing: Missing) -> Tally:
    """Every step by a worker of this run."""
    from prunectl.execute.driver import OutOfTimeError

    try:
        return _checked_and_driven(missing)
    except OutOfTimeError as error:
        if todo_of(missing.session, missing.stage).todo:
            raise
        error.tally.done.update(key for key in missing.todo.todo if missing.session.store.has(key))
        return error.tally  # the last steps were finished while they were to stop


def _checked_and_driven(missing: Missing) -> Tally:
    """The same. Raises OutOfTimeError when workers have ended because of `until`, whatever is left."""
    from prunectl.execute.driver import drive
    from prunectl.execute.outcome import WorkersChanged

    session, workers, until = missing.session, missing.workers, missing.machine.until
    engine = workers.engine(session.study.data.dataset.imports)
    with contextlib.ExitStack() as stack:
        stack.callback(engine.stop)
        with _out_of_time(until, missing.todo):
            answers = checked(session, engine, workers, until)
        _warn_if_unfinished(answers, missing.warn)
        if answers.here:
            _warn_of_others(missing, answers.here)
        record(session, missing.stage)
        listen = stack.enter_context(missing.listening())
        listen(WorkersChanged(label=engine.label if workers.executor.elsewhere else workers.label))
        return drive(
            session.plan,
            missing.todo,
            engine,
            lambda key: _request(session, workers, key, until),
            _keeping_reasons(session, listen),
            until=until,
            leaves=missing.machine.shares,
        )


@contextlib.contextmanager
def _out_of_time(until: Until | None, todo: Todo) -> Iterator[None]:
    """A check that is not answered in time ends a run as steps do."""
    from prunectl.execute.driver import OutOfTimeError, Tally
    from prunectl.execute.engine import NotInTimeError

    try:
        yield
    except NotInTimeError:
        assert until is not None
        raise OutOfTimeError(until, len(todo.todo), Tally(reused=set(todo.reused)), begun=False) from None


def _pulled(missing: Missing) -> Tally:
    """Every step by runs that share the store. The check comes first, here: a mistake costs no time in a queue."""
    from prunectl.api.pulled import followed, pull_of
    from prunectl.store import layout

    session, stage = missing.session, missing.stage
    _warn_if_unfinished(check(session), missing.warn)
    record(session, stage)
    failures = session.store.listed(layout.FAILURES)
    for key in missing.todo.todo:  # a worker that sees no failure tries the step, once
        if key in failures:
            session.store.forget_failure(key)
    with missing.listening() as listen:
        pool = missing.workers.executor.submit(pull_of(session, stage, missing.machine))
        return followed(missing, pool, lambda: todo_of(session, stage), listen)


def _warn_if_unfinished(answers: Checked, warn: Warn) -> None:
    """The run goes on: a worker that dies takes no more than its step along."""
    if answers.unfinished:
        warn(
            f"{answers.unfinished}. The run goes on without the rest of the check; what it could not look at, and is "
            "wrong, fails in its own step and is a row with the reason"
        )


def _warn_of_others(missing: Missing, here: HardwareClass) -> None:
    """What is reused and what is made now would meet in one table. Raises DamagedError."""
    from prunectl.store.hardware import listed

    reused = missing.session.store.hardware(missing.todo.reused)
    others = {of: count for of, count in reused.items() if not of.may_be(here)}
    if others:
        missing.warn(
            f"{plural(sum(others.values()), 'step')} that this run reuses were not made on {here.label}, as the others "
            f"will be: {listed(others)}. This can change results in their last bits; to have one table from one "
            "kind of hardware, use the same --device and --threads, or a new store (--store DIR)"
        )


def _reason(session: Session, key: Key) -> str:
    """Why a step failed before."""
    failure = session.store.failure(key)
    return "failed before" if failure is None else failure["reason"]


def _record_if_possible(session: Session, stage: Stage, warn: Warn) -> None:
    """Record a run that has nothing to do; that works with a store that cannot be written, too."""
    try:
        record(session, stage)
    except StoreError as error:
        warn(f"this run is not recorded, so `cache gc` does not keep what it needs: {error.message}")


def _keeping_reasons(session: Session, listen: Listener) -> Listener:
    """The listener, called with a failure once its reason is stored."""
    from prunectl.execute.outcome import Outcome, Status

    def heard(event: Event) -> None:
        if isinstance(event, Outcome) and event.status is Status.FAILED:
            _keep_reason(session, event)
        listen(event)

    return heard


def _keep_reason(session: Session, outcome: Outcome) -> None:
    """Store why a step failed whose process died before it could: an accident, which the next run tries again."""
    session.store.refresh()
    known = session.store.failure(outcome.key)
    if known is None or known["reason"] != outcome.reason:
        session.store.record_failure(outcome.key, "crash", outcome.reason, "")


def _request(session: Session, workers: Workers, key: Key, until: Until | None) -> Request:
    from prunectl.execute.outcome import Request

    return Request(
        key=key,
        step=session.plan.steps[key],
        resume=session.plan.follows.get(key),
        store=session.store.address,
        data=session.data.absolute(),
        weights=session.weights,
        device=workers.device,
        devices=workers.devices,
        threads=workers.threads,
        workers=workers.readers,
        jobs=workers.jobs,
        until=until,
    )
