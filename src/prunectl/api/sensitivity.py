"""Pruning each layer of a study's dense network alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from prunectl.api.damage import warn_in_log
from prunectl.api.machine import Machine
from prunectl.base.errors import StudyError

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.missing import Show
    from prunectl.api.session import Session
    from prunectl.catalog.criterion import Criterion
    from prunectl.execute.driver import Tally
    from prunectl.plan.sensitivity import Alone
    from prunectl.results.sensitivity import Spared

RATES = (0.5, 0.8, 0.9, 0.95)
MARGIN = 0.01


@dataclass(frozen=True, kw_only=True)
class SensitivityResult:
    """What was measured, and how the steps ended."""

    spared: Spared
    tally: Tally


def planned(session: Session, rates: Sequence[float] = RATES, criterion: str | None = None) -> Alone:
    """What is to be measured. `criterion` is a name or an inline TOML table; by default that of the first arm.

    Raises StudyError for a criterion that does not exist, or cannot be used for this.
    """
    from prunectl.plan.sensitivity import alone

    return alone(session.plan, rates, None if criterion is None else criterion_of(criterion))


def sensitivity(
    session: Session,
    alone: Alone,
    machine: Machine | None = None,
    *,
    margin: float = MARGIN,
    show: Show | None = None,
    warn: Warn = warn_in_log,
) -> SensitivityResult:
    """Prune each layer of the dense network of the first seed alone, at each rate, without retraining, and measure.

    `margin` is the loss of top-1 accuracy (a fraction) that a proposed rate may have. Raises what `make` raises.
    """
    from prunectl.api.damage import undamaged
    from prunectl.api.make import make, silently
    from prunectl.results.sensitivity import spared

    session = replace(session, plan=alone.plan)

    def attempt() -> SensitivityResult:
        tally = make(session, "sensitivity", machine or Machine(), show=show or silently, warn=warn)
        return SensitivityResult(spared=spared(session.study.name, alone, session.store, margin), tally=tally)

    return undamaged(attempt, warn, then="it is recomputed now")


def criterion_of(asked: str) -> Criterion:
    """A criterion by its name, or by an inline TOML table. Raises StudyError with every problem."""
    from pydantic import ValidationError

    from prunectl.base.cells import parsed
    from prunectl.catalog.criterion import Criterion
    from prunectl.catalog.problems import problems_of
    from prunectl.catalog.section import resolve

    try:
        value = parsed(asked)
    except ValueError as error:
        raise StudyError(f"--criterion {asked!r} is not a TOML table: {error}",
                         hint="write it as --criterion '{ name = \"snip\" }'") from None  # fmt: skip
    table = value if isinstance(value, dict) else {"name": asked}
    try:
        entry = resolve("criteria", table)
    except ValidationError as error:
        raise StudyError(f"--criterion {asked!r} cannot be used", problems_of(error, table)) from None
    assert isinstance(entry, Criterion), "a catalogue holds entries of its own kind only"
    return entry
