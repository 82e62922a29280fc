"""Trackio: a database on this machine, with the calls of wandb."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prunectl.base.errors import PrunectlError
from prunectl.catalog.tracker import OfStudy, Tracked, Tracker


class Trackio(Tracker):
    """A run of Trackio for each trial, in the group of its arm."""

    name = "trackio"
    summary = "runs of Trackio in a database on this machine; needs prunectl[trackio]"
    package = "trackio"

    project: OfStudy = None

    def view(self, folder: Path) -> str:
        """The command that shows the log."""
        return f"TRACKIO_DIR={folder.absolute()} trackio show"

    def open(self, folder: Path, study: str) -> Database:
        """The database of one project."""
        return Database(self.project or study, folder)


class Database:
    """A directory with one database."""

    def __init__(self, project: str, folder: Path) -> None:
        os.environ["TRACKIO_DIR"] = str(folder.absolute())  # read once, when trackio is imported
        import trackio

        if Path(trackio.utils.TRACKIO_DIR) != folder.absolute():
            raise PrunectlError(f"trackio is in use in this process, with its database in {trackio.utils.TRACKIO_DIR}")
        self.trackio: Any = trackio
        self.project = project

    def add(self, trial: Tracked) -> None:
        """One run, with its final numbers at the last step."""
        name = f"{trial.name} {trial.key[:8]}"
        run = self.trackio.init(
            project=self.project, name=name, group=trial.arm, config=dict(trial.config), embed=False, auto_log_gpu=False
        )
        last = 0
        for last, point in trial.curve:
            run.log(dict(point), step=last)
        run.log({f"final/{key}": value for key, value in trial.numbers.items()}, step=last)
        self.trackio.finish()  # of the run and of the process: at its end trackio has nothing left to print

    def close(self) -> None:
        """Every run is finished already."""
