"""Timing the networks of a study, one at a time, and finding what was timed before."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from prunectl.api.damage import warn_in_log
from prunectl.api.machine import Machine, settled
from prunectl.base.errors import PrunectlError

if TYPE_CHECKING:
    import polars as pl

    from prunectl.api.damage import Warn
    from prunectl.api.missing import Show
    from prunectl.api.session import Session
    from prunectl.execute.driver import Tally
    from prunectl.plan.conditions import Conditions

BATCH_SIZES, REPEATS = (1, 128), 30


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What was measured (`results.latency.LATENCIES`), and how the steps ended: of the study, and of the timing."""

    study: str
    rows: pl.DataFrame
    tally: Tally


def latency(
    session: Session,
    machine: Machine | None = None,
    conditions: Conditions | None = None,
    *,
    show: Show | None = None,
    warn: Warn = warn_in_log,
) -> Timed:
    """Make what is missing of the trials, then time each of their networks in every variant, one after the other.

    `conditions` are those of `conditions_of` by default.
    Raises PrunectlError for an executor that works elsewhere, and what `make` raises.
    """
    from prunectl.api.make import make, make_looking, silently

    show, machine = show or silently, machine or Machine()
    conditions = conditions or conditions_of(machine)
    session, tally = make_looking(session, "retrain", machine, show=show, warn=warn)
    if tally.left:
        return Timed(study=session.study.name, rows=_frame(session), tally=tally)
    timed = _timed(session, conditions)
    alone = replace(machine, jobs=1, device=settled(machine).device)
    after = make(timed, "latency", alone, show=show, warn=warn)
    return Timed(study=session.study.name, rows=_frame(timed), tally=tally.followed_by(after))


def conditions_of(machine: Machine, batch_sizes: Sequence[int] = BATCH_SIZES, repeats: int = REPEATS) -> Conditions:
    """What is measured here and now. Raises PrunectlError for an executor that works elsewhere."""
    from importlib.metadata import version

    from prunectl.base.onnx_extra import runtime_version
    from prunectl.plan.conditions import Conditions

    workers = settled(machine)
    if workers.executor.elsewhere or workers.executor.pulls:
        raise PrunectlError(
            f"latency is measured on this machine, and executor {workers.executor.name!r} works on others",
            hint="make the networks with it first (prunectl run STUDY --executor ...), then leave --executor out",
        )
    on_gpu = workers.device != "cpu"
    return Conditions(
        machine=_gpu(workers.device) if on_gpu else _processor(),
        device="cuda" if on_gpu else "cpu",
        threads=workers.threads,
        torch=version("torch"),
        onnxruntime=None if on_gpu else runtime_version(),
        batch_sizes=tuple(sorted(set(batch_sizes))),
        repeats=repeats,
    )


def _processor() -> str:
    import platform

    from prunectl.base.processor import processor_name
    from prunectl.base.text import plural

    return f"{processor_name() or platform.machine()}, {plural(os.cpu_count() or 1, 'core')}"


def _gpu(device: str) -> str:
    import torch  # the device was found with it

    return torch.cuda.get_device_name(device)


def with_latencies(session: Session) -> Session:
    """The session with the steps that were timed last, on whatever machine; as it is if none ever were."""
    from prunectl.plan.conditions import Conditions
    from prunectl.store.runs import read

    path = str(session.path.absolute())
    asked = [run.caption.apart.get("latency") for run in read(session.store.root).runs if run.caption.path == path]
    recorded: dict[str, Any] | None = next((each for each in reversed(asked) if each), None)
    if recorded is None:
        return session
    return _timed(session, Conditions(**{**recorded, "batch_sizes": tuple(recorded["batch_sizes"])}))


def _timed(session: Session, conditions: Conditions) -> Session:
    from prunectl.plan.latency import timed

    return replace(session, plan=timed(session.plan, conditions))


def _frame(session: Session) -> pl.DataFrame:
    from prunectl.results.artefacts import Artefacts
    from prunectl.results.gather import table
    from prunectl.results.latency import latencies

    artefacts = Artefacts(session.plan, session.store)
    return latencies(session.plan, table(session.study, session.plan, session.store, artefacts), artefacts.document)
