"""Opening a study whose steps will be done: a data set that is missing can be downloaded first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.base.text import size
from prunectl.cli.console import say

if TYPE_CHECKING:
    from prunectl.api.data import Provide
    from prunectl.api.session import Session
    from prunectl.catalog.dataset import Dataset
    from prunectl.cli.options import OnMachine, Selected
    from prunectl.plan.stage import Stage


def opened(selected: Selected, where: OnMachine, study: Path | None, stage: Stage) -> Session:
    """Open a study, and offer its data set if steps up to the stage need it. Raises PrunectlError."""
    from prunectl.api.data import absent, needed

    provide = offering(where.download)
    session = selected.open(study, provide)
    dataset, root = session.study.data.dataset, session.data
    if dataset.fingerprint is not None and absent(dataset, root) and needed(session, stage):
        provide(dataset, root)
    return session


def offering(download: bool) -> Provide:
    """Downloads a data set that is missing, if that was asked for, or if the person at the terminal agrees.

    Else nothing is done: the error of whatever reads it names what is missing and how to get it.
    """

    def provide(dataset: Dataset, root: Path) -> None:
        from prunectl.api.data import absent, provided

        if absent(dataset, root) and (download or agreed(dataset, root)):
            say(f"downloading {dataset.name} ({size(dataset.download_bytes)}) to {root}")
            provided(dataset, root)

    return provide


def agreed(dataset: Dataset, root: Path) -> bool:
    """Whether the person at the terminal wants the download; without a terminal nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{dataset.name} is not under {root}. Download it there ({size(dataset.download_bytes)})? [Y/n] ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.strip().lower() in ("", "y", "yes") and bool(line)
