"""Recorded runs: recording one, listing them, opening the study of one again."""

from __future__ import annotations

import contextlib
import datetime
import getpass
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.api.damage import warn_in_log
from prunectl.api.session import Session, open_study
from prunectl.base.errors import PrunectlError
from prunectl.base.keys import canonical, digest
from prunectl.plan.stage import APART

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.plan.graph import Plan
    from prunectl.plan.stage import Stage
    from prunectl.plan.steps import Key
    from prunectl.store.local import LocalStore
    from prunectl.store.runs import Caption, Run


def record(session: Session, stage: Stage) -> Run:
    """Record a run of the session up to a stage. Raises StoreError.

    The keys are those of the whole plan, whatever the stage: `train` after `run` must not give up what `run` made.
    """
    from prunectl.plan.naming import Titles
    from prunectl.store import runs

    plan, titles = session.plan, Titles(session.plan)
    granted, keys = seeds_by_arm(plan) if session.study.sweep.looks else {}, needed(plan)
    names = {str(key): titles[key] for key in keys}
    return runs.record(session.store.root, caption_of(session, stage), keys, granted, names)


def seeds_by_arm(plan: Plan) -> dict[str, int]:
    """The greatest seed of each arm of a plan, by label: where seeds are granted, their number."""
    seeds: dict[str, int] = {}
    for trial in plan.trials:
        label = trial.arm.label
        seeds[label] = max(trial.seed, seeds.get(label, 0))
    return seeds


def needed(plan: Plan) -> set[Key]:
    """Every step that the trials of a plan need, and the earlier states that their trainings may resume from.

    So does every step that a command asks for apart from the trials.
    """
    found = plan.closure(plan.targets("retrain") | plan.asked)
    for key in list(found):
        while (earlier := plan.follows.get(key)) is not None and earlier not in found:
            found |= plan.closure([earlier])
            key = earlier
    return found


def caption_of(session: Session, stage: Stage) -> Caption:
    """The caption of a run that is made now, in the current directory."""
    from prunectl.results.headline import headline
    from prunectl.store.runs import Caption, content_digest

    path = session.path.absolute()
    return Caption(
        name=session.study.name,
        title=headline(session.study, session.selection, session.overridden),
        path=str(path),
        sha256=content_digest(path),
        directory=str(Path.cwd()),
        profile=session.selection.profile,
        overrides=session.selection.overrides,
        only=session.selection.only,
        stage=stage,
        data=str(session.data.absolute()),
        when=datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds"),
        host=platform.node(),
        user=_user(),
        apart={stage: conditions_in(session.plan)} if stage in APART else {},
    )


def conditions_in(plan: Plan) -> dict[str, Any]:
    """What steps apart from the trials were asked for: the conditions of latencies, else the digest of the keys."""
    from prunectl.plan.steps import Latency

    asked = (plan.steps[key] for key in plan.asked)
    step = next((step for step in asked if isinstance(step, Latency)), None)
    if step is None:
        return {"asked": digest(canonical(sorted(plan.asked)))}
    conditions = asdict(step.conditions)
    return conditions | {"batch_sizes": list(step.conditions.batch_sizes)}


def _user() -> str:
    """The user's name; in a container a user may have none."""
    with contextlib.suppress(KeyError, OSError, ImportError):
        return getpass.getuser()
    return str(os.getuid()) if hasattr(os, "getuid") else ""


def recorded(store: LocalStore, warn: Warn = warn_in_log) -> list[Run]:
    """Every recorded run, the latest last."""
    from prunectl.store.runs import read

    found = read(store.root)
    for id_, why in found.unreadable.items():
        warn(f"the record of run {id_} cannot be read: {why}; `prunectl cache rm {id_}` forgets it")
    return list(found.runs)


def last(store: LocalStore, directory: Path, warn: Warn = warn_in_log) -> Run | None:
    """The last run that was made in a directory."""
    here = [run for run in recorded(store, warn) if run.caption.directory == str(directory)]
    return here[-1] if here else None


def reopen(run: Run, store: LocalStore, warn: Warn = warn_in_log, *, whole: bool = False) -> Session:
    """Open the study of a run as the run did; with `whole` every trial, also those that its --only left out.

    Raises PrunectlError if its file is gone.
    """
    from prunectl.store.runs import content_digest

    caption = run.caption
    path = Path(os.path.relpath(caption.path)) if same_drive(caption.path) else Path(caption.path)
    when = moment(caption.when)
    if not path.exists():
        raise PrunectlError(
            f"the last run in this directory (at {when}) was of {path}, which is gone",
            hint="name the study file: prunectl report STUDY",
        )
    if content_digest(path) != caption.sha256:
        warn(f"{path} has changed since it was run at {when}: this is the study as it is now")
    only = () if whole else caption.only
    return open_study(
        path, only=only, set=caption.overrides, profile=caption.profile, store=store.address, data=caption.data
    )


def same_drive(path: str) -> bool:
    """Whether a path can be written relative to the current directory. On Windows, another drive cannot."""
    return Path(path).drive == Path.cwd().drive


def moment(when: str) -> str:
    """A moment in ISO 8601 (UTC) as this machine's clock shows it."""
    return datetime.datetime.fromisoformat(when).astimezone().isoformat(sep=" ", timespec="seconds")
