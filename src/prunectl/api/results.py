"""What the store holds of a study: its results, its table, what a stage made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prunectl.api.damage import Warn, undamaged, warn_in_log

if TYPE_CHECKING:
    import polars as pl

    from prunectl.api.session import Session
    from prunectl.plan.stage import Stage
    from prunectl.plan.steps import Key
    from prunectl.results.table import Results


def results_of(session: Session, *, warn: Warn = warn_in_log) -> Results:
    """Everything that the store holds of a study; trials that have not been made are rows with a status."""
    from prunectl.api.latency import with_latencies

    session = with_latencies(session)
    return undamaged(lambda: results_now(session, set()), warn)


def results_now(session: Session, made: set[Key]) -> Results:
    """The same of a session as it is; `made` are the steps that this very run has done. Raises DamagedError."""
    from prunectl.results.gather import results

    return results(
        session.study,
        session.text,
        session.plan,
        session.store,
        made,
        session.content,
        selection=session.selection,
        overridden=session.overridden,
    )


def table_of(session: Session, *, warn: Warn = warn_in_log) -> pl.DataFrame:
    """The table alone: one row per trial."""
    from prunectl.api.latency import with_latencies
    from prunectl.results.gather import table

    session = with_latencies(session)
    return undamaged(lambda: table(session.study, session.plan, session.store), warn)


def rows_of(session: Session, stage: Stage) -> list[dict[str, Any]]:
    """What a stage made: baselines, masks layer by layer, or trials. Raises DamagedError."""
    from prunectl.results.stage import rows_of

    return rows_of(session.plan, session.store, stage)
