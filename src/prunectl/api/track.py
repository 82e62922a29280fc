"""Logging the trials of a run to a tracker, as they are done. The tracker sees results only, and changes none.

Logs lie in `tracking/` of the results folder, with a list of what was logged: the same trial is not logged twice,
however often a run is repeated. A tracker that fails costs only itself.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.api.damage import warn_in_log
from prunectl.api.machine import entry_of
from prunectl.api.output import TRACKING, claim, folder_of
from prunectl.base import ctrl_c
from prunectl.base.cells import cell
from prunectl.base.errors import PrunectlError, described
from prunectl.base.text import plural

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.missing import Show
    from prunectl.api.session import Session
    from prunectl.catalog.tracker import Log, Tracker
    from prunectl.execute.driver import Listener
    from prunectl.execute.outcome import Event
    from prunectl.plan.graph import Plan, Trial
    from prunectl.plan.steps import Key
    from prunectl.store.local import LocalStore
    from prunectl.study.schema import Study

LOGGED = "logged.json"


def tracking(
    session: Session,
    asked: str | Tracker | None,
    *,
    shares: bool = False,
    folder: Path | None = None,
    warn: Warn = warn_in_log,
) -> Tracking | None:
    """The tracking of a run by the tracker that was asked for, else by that of the user's settings; None without one.

    `folder` is that of the results, by default the session's own. A run that `shares` a study with others writes no
    results, and so tracks nothing. Raises PrunectlError for a tracker that cannot be used, before any training.
    """
    if asked and shares:
        hint = "use --track in a run of the same study without --share: it logs what others have made, too"
        raise PrunectlError("--track cannot be used with --share, which writes no results", hint=hint)
    tracker = None if shares else tracker_of(asked)
    if tracker is None:
        return None
    require_installed(tracker)
    folder = folder or folder_of(session, warn=warn)
    claim(folder, session)
    return Tracking(tracker, folder / TRACKING, session.study, warn)


def tracker_of(asked: str | Tracker | None) -> Tracker | None:
    """A tracker by its name, or by an inline TOML table; None is that of the user's settings. Raises StudyError."""
    from prunectl.api.settings import settings
    from prunectl.catalog.tracker import Tracker

    asked = asked or settings().track
    return entry_of("trackers", Tracker, "--track", asked) if isinstance(asked, str) else asked


def require_installed(tracker: Tracker) -> None:
    """Raises PrunectlError if the tracker's package is not installed, with the command that installs it."""
    if tracker.package is not None and find_spec(tracker.package) is None:
        raise PrunectlError(
            f"--track {tracker.name} needs the package {tracker.package}, which is not installed",
            hint=f"pip install 'prunectl[{tracker.name}]'",
        )


class Tracking:
    """What a tracker has logged of a study, and what it will log."""

    def __init__(self, tracker: Tracker, folder: Path, study: Study, warn: Warn) -> None:
        self.tracker, self.folder, self.study, self.warn = tracker, folder, study, warn
        self.log: Log | None = None
        self.added = 0
        self.stopped = False
        """Whether the tracker has failed."""
        self.known = self._recorded()
        self.mine: dict[str, None] = dict.fromkeys(self.known.get(cell(tracker.written()), ()))
        """The keys of what this tracker, with these parameters, has logged."""

    def showing(self, session: Session, show: Show) -> Show:
        """The display of a run, which logs each trial as soon as it is done."""

        @contextmanager
        def shown(plan: Plan, todo: Any) -> Iterator[Listener]:
            with show(plan, todo) as listen:
                yield self._listening(plan, session.store, listen)

        return shown

    @property
    def summary(self) -> str:
        """What the tracker has and how it is looked at, in a line; empty if it has failed."""
        folder = self.folder / self.tracker.name
        where = f"{self.tracker.name} has {plural(len(self.mine), 'network')} of this study, {self.added:,} of them new"
        return "" if self.stopped else f"{where}: {self.tracker.view(folder) or folder}"

    def finish(self, session: Session) -> None:
        """Log what has not been logged of a study that was run, and close the log."""
        plan, store = session.plan, session.store
        self._take(plan, store, [trial for trial in plan.trials if _is_done(trial, store)])
        log, self.log = self.log, None
        with self._guarded():
            if log is not None:
                log.close()

    def _listening(self, plan: Plan, store: LocalStore, listen: Listener) -> Listener:
        from prunectl.execute.outcome import Outcome, Status

        ends: dict[Key, list[Trial]] = {}
        for trial in plan.trials:
            for key in _awaited(trial):
                ends.setdefault(key, []).append(trial)

        def heard(event: Event) -> None:
            listen(event)
            if isinstance(event, Outcome) and event.status in (Status.DONE, Status.REUSED) and event.key in ends:
                store.refresh()
                self._take(plan, store, [trial for trial in ends[event.key] if _is_done(trial, store)])

        return heard

    def _take(self, plan: Plan, store: LocalStore, trials: Sequence[Trial]) -> None:
        """Log the networks of trials that are done, each once."""
        from prunectl.results.tracked import tracked

        new: dict[Key, Trial] = {}
        for trial in trials:
            if trial.measure not in self.mine:
                new.setdefault(trial.measure, trial)
        if not new or self.stopped:
            return
        rows = list(tracked(self.study, plan, store, list(new.values())))
        with self._guarded():
            if self.log is None:
                folder = self.folder / self.tracker.name
                folder.mkdir(parents=True, exist_ok=True)
                self.log = self.tracker.open(folder, self.study.name)
            for row in rows:
                self.log.add(row)
                self.mine[row.key] = None
                self.added += 1
        self._record()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Where the tracker's code runs: it prints nothing here, and if it fails it is not used again."""
        try:
            with _silent():
                yield
        except BaseException as error:  # whatever a package of other people raises, the run goes on
            ctrl_c.pass_on(error)
            self.stopped = True
            self.warn(
                f"--track {self.tracker.name} failed, and the run goes on without it: {described(error)}; "
                "the same command logs what is missing"
            )

    def _recorded(self) -> dict[str, list[str]]:
        """What all trackers have logged in this folder: keys by the tracker with its parameters."""
        try:
            recorded = json.loads((self.folder / LOGGED).read_bytes())
            return {str(name): [str(key) for key in keys] for name, keys in recorded.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            hint = f"delete {self.folder}, and everything is logged again"
            raise PrunectlError(f"{self.folder / LOGGED} cannot be read: {described(error)}", hint=hint) from None

    def _record(self) -> None:
        from prunectl.store.atomic import write_whole

        recorded = {**self.known, cell(self.tracker.written()): list(self.mine)}
        with self._guarded():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / LOGGED, json.dumps(recorded, indent=1).encode() + b"\n")


def _awaited(trial: Trial) -> tuple[Key, ...]:
    """The steps of which one is the last of a trial."""
    return (trial.state, trial.baseline_measure, *trial.measures)


def _is_done(trial: Trial, store: LocalStore) -> bool:
    return all(store.has(key) for key in _awaited(trial))


@contextmanager
def _silent() -> Iterator[None]:
    """What Python code prints meanwhile is shown to nobody."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
