"""What steps left besides their artefacts: what they printed, their tracebacks, their training curves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.api.damage import warn_in_log
from prunectl.base.errors import PrunectlError
from prunectl.base.text import and_list

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.session import Session
    from prunectl.store.local import LocalStore

KEY = re.compile(r"[0-9a-f]{4,64}")
NEAREST = 3
"""Maximum number of arms that are listed where none has the name."""
DONE, FAILED, UNDER_WAY, MISSING = "done", "failed", "under way", "not done"


@dataclass(frozen=True, kw_only=True)
class Log:
    """One step."""

    key: str
    title: str
    status: str
    wall_s: float | None = None
    created: str | None = None
    """UTC in ISO 8601."""
    device: str | None = None
    reason: str | None = None
    """Why it failed."""
    traceback: str = ""
    printed: str = ""
    curve: tuple[dict[str, Any], ...] = ()
    """The points of a training curve."""


def logs(store: LocalStore, what: str, session: Session | None = None, *, warn: Warn = warn_in_log) -> list[Log]:
    """The steps whose keys begin with `what`, else those of the arm of the session's study that is called so.

    Of an arm these are its failed steps, and the trainings of its trials. Raises PrunectlError if there is neither.
    """
    if KEY.fullmatch(what) and (keys := _known(store, what)):
        return [log(store, key, _title(store, session, key), warn=warn) for key in keys]
    if session is None:
        raise PrunectlError(
            f"no step in the store has a key that begins with {what!r}",
            hint="for an arm, name its study: prunectl log ARM STUDY; `prunectl cache ls` lists the keys",
        )
    return [log(store, key, _title(store, session, key), warn=warn) for key in _of_arm(session, what)]


def log(store: LocalStore, key: str, title: str, *, warn: Warn = warn_in_log) -> Log:
    """What one step left. A damaged artefact is set aside, with a warning."""
    from prunectl.store.local import DamagedError

    printed = _printed(store, key)
    failure = store.failure(key)
    try:
        made = store.manifest(key).made
        curve = _curve(store, key)
    except KeyError:
        status = FAILED if failure else UNDER_WAY if store.under_way(key) else MISSING
        reason, detail = (failure["reason"], failure["detail"]) if failure else (None, "")
        return Log(key=key, title=title, status=status, reason=reason, traceback=detail, printed=printed)
    except DamagedError as error:
        warn(f"{error}; {error.fate}")
        return Log(key=key, title=title, status=MISSING, printed=printed)
    return Log(
        key=key,
        title=title,
        status=DONE,
        wall_s=made.wall_s,
        created=made.created,
        device=made.hardware_class.label,
        printed=printed,
        curve=tuple(curve),
    )


def _known(store: LocalStore, prefix: str) -> list[str]:
    """The keys of artefacts, failures, logs and snapshots that begin so."""
    from prunectl.store import layout

    listed = [store.listed(folder) for folder in (layout.FAILURES, layout.LOGS, layout.SNAPSHOTS)]
    return sorted(key for key in {*store.keys()}.union(*listed) if key.startswith(prefix))


def _title(store: LocalStore, session: Session | None, key: str) -> str:
    from prunectl.plan.naming import Titles
    from prunectl.store.local import DamagedError
    from prunectl.store.runs import read

    if session is not None and (known := next((step for step in session.plan.steps if step == key), None)):
        return Titles(session.plan)[known]
    named = [run.names[key] for run in read(store.root).runs if run.names.get(key)]
    if named:
        return named[-1]
    try:
        return store.manifest(key).kind
    except (KeyError, DamagedError):
        return "step"


def _of_arm(session: Session, name: str) -> list[str]:
    """The failed steps of an arm's trials, and their trainings; of a name that several begin with, those of all."""
    labels = list(session.plan.arms)
    meant = [label for label in labels if label == name] or [
        label for label in labels if label.split(" · ")[0] == name or label.startswith(f"{name} ·")
    ]
    if not meant:
        raise _no_arm(session.study.name, name, labels)
    keys: dict[str, None] = {}
    for trial in session.plan.trials:
        if trial.arm.label in meant:
            keys |= dict.fromkeys(key for key in session.plan.closure([trial.measure]) if session.store.failure(key))
            keys[trial.state] = None
    return list(keys)


def _no_arm(study: str, name: str, labels: Sequence[str]) -> PrunectlError:
    """The error for an arm that a study does not have: it lists the nearest ones."""
    near = sorted(labels, key=lambda label: -max(_likeness(name, label), _likeness(name, label.split(" · ")[0])))
    shown = [f"'{label}'" for label in near[:NEAREST]]
    more = f"; it has {len(labels) - NEAREST} more" if len(labels) > NEAREST else ""
    which = "the nearest are" if more else "its arms are"
    hint = "`prunectl cache ls` lists every key with its arm"
    return PrunectlError(f"{study} has no arm {name!r}; {which} {and_list(shown)}{more}", hint=hint)


def _likeness(one: str, other: str) -> float:
    """From 0 to 1, how far two names agree, in whatever case."""
    return SequenceMatcher(None, one.lower(), other.lower()).ratio()


def _printed(store: LocalStore, key: str) -> str:
    try:
        return store.log(key).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _curve(store: LocalStore, key: str) -> Iterator[dict[str, Any]]:
    """The points of a training's curve; none of another step."""
    from prunectl.store import layout

    manifest = store.manifest(key)
    if layout.PROGRESS in manifest.sizes:
        yield from json.loads(store.read(key, layout.PROGRESS, manifest)).get("curve", ())


def session_here(store: LocalStore, warn: Warn = warn_in_log) -> Session | None:
    """The whole study of the last run that was made in this directory, whatever --only the run had: an arm that the run
    left out has steps, too. None if there was no run, or its file is gone.
    """
    from prunectl.api.runs import last, reopen

    run = last(store, Path.cwd(), warn=warn)
    try:
        return None if run is None else reopen(run, store, warn=warn, whole=True)
    except PrunectlError as error:
        warn(error.message)
        return None
