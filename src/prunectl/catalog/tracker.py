"""What every tracker declares: a program of other people in which the trials of runs are looked at and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Protocol

from pydantic import Field

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required

Text = Annotated[str, Field(min_length=1)]
OfStudy = Annotated[Text | None, Field(description="by default the name of the study")]
"""What a tracker keeps the runs of a study under: its project, or its experiment."""


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """A trial that is done, as trackers log it. All of it is in the table and the curves of its study, too."""

    key: str
    """That of what was measured. Trials of one network with one mask, as all of sparsity 0, are logged once."""
    name: str
    """For people: 'snip · at init, 90 %, seed 1'."""
    study: str
    arm: str
    config: Mapping[str, str | int | float]
    """What was chosen: the arm's columns as a study file writes them, sparsity, seed, artefact."""
    curve: tuple[tuple[int, Mapping[str, float]], ...]
    """For each evaluation the optimizer step, and epoch, lr, losses and accuracies. Empty without a training."""
    numbers: Mapping[str, float]
    """What was measured in the end, by column of the table; what was not measured is left out."""


class Log(Protocol):
    """An open log of one tracker."""

    def add(self, trial: Tracked) -> None:
        """Log a trial. May raise anything: the run goes on without the tracker."""

    def close(self) -> None:
        """Called once, at the end of the run."""


class Tracker(Entry):
    """An entry of the trackers: what `--track NAME` means. None of it changes a key.

    What the tracker's package prints is not shown: stdout and stderr belong to the run.
    """

    package: ClassVar[str | None] = None
    """The module that must be installed, by the extra of the entry's name; None if nothing has to be."""

    def view(self, folder: Path) -> str:
        """The command that shows the log; empty if there is none."""
        return ""

    @required
    def open(self, folder: Path, study: str) -> Log:
        """The log of a study in a directory that is the tracker's alone; the package is imported here.

        The study's earlier trials are in the directory if they were logged there: `add` is not called for them.
        """
        raise NotImplementedError
