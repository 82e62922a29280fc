"""Seeds that are added until claims are settled: from what the store holds, how many each arm of a study is granted.

Judging belongs to the half of prunectl that reports, making to the other one: they meet here. A plan is a function of
the study and of the seeds granted, and these are a function of the study and of the trials in the store, so that every
command on a store, at any moment of a run, has the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from prunectl.api.damage import undamaged, warn_in_log

if TYPE_CHECKING:
    from pathlib import Path

    from prunectl.api.damage import Warn
    from prunectl.api.session import Session
    from prunectl.plan.graph import Plan
    from prunectl.store.local import LocalStore
    from prunectl.study.selection import Selection


def grown(session: Session, *, warn: Warn = warn_in_log) -> Session:
    """The session with the seeds that the looks grant which can be taken by now; the same one if there are none more.

    Looks are taken on the whole study first, and then on the part of it that was asked for.
    """
    if not session.study.sweep.looks:
        return session
    granted = dict(session.granted)
    for only in dict.fromkeys(((), session.selection.only)):
        granted = undamaged(partial(_after_looks, session, only, granted), warn)
    if granted == session.granted:
        return session
    return replace(session, granted=granted, plan=_planned(session, granted, session.selection.only))


def recorded(store: LocalStore, selection: Selection, text_sha256: str) -> dict[str, int]:
    """The seeds that recorded runs of a study with this text, profile and overrides have granted, whatever part."""
    from prunectl.store.runs import read

    found: dict[str, int] = {}
    for run in read(store.root).runs:
        caption = run.caption
        if (caption.sha256, caption.profile, caption.overrides) == (
            text_sha256, selection.profile, selection.overrides
        ):  # fmt: skip
            found |= {label: max(seeds, found.get(label, 0)) for label, seeds in run.granted.items()}
    return found


def at_first(path: Path, store: LocalStore, selection: Selection) -> dict[str, int]:
    """The seeds that a study begins with: those of its recorded runs, so that a damaged artefact takes none back."""
    from prunectl.store.runs import content_digest

    return recorded(store, selection, content_digest(path))


def _after_looks(session: Session, only: tuple[str, ...], granted: Mapping[str, int]) -> dict[str, int]:
    """The fixed point: more seeds make more looks possible, as far as trials are in the store. Raises DamagedError."""
    from prunectl.results.gather import table, task_of
    from prunectl.results.granting import grants

    study, task = session.study, task_of(session.study, session.content)
    while True:
        plan = _planned(session, granted, only)
        after = grants(study, table(study, plan, session.store), plan.arms, task, granted)
        if after == granted:
            return after
        granted = after


def _planned(session: Session, granted: Mapping[str, int], only: tuple[str, ...]) -> Plan:
    from prunectl.plan.build import build
    from prunectl.plan.only import only as restricted

    return restricted(build(session.study, session.content, session.digests, granted), only)
