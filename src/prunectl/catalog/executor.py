"""What every executor declares: where the workers of a run come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from prunectl.base.until import Until
from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a user asks of the machines that steps run on."""

    device: str = "auto"
    """'auto', 'cpu', 'cuda' (every GPU), or some of them: 'cuda:0,2'."""
    jobs: int | None = None
    """Number of steps at once on each device; None leaves it to the executor."""
    threads: int = 1
    """CPU threads per step."""


@dataclass(frozen=True, kw_only=True)
class Pull:
    """A run that pull-workers share: each is a whole `prunectl` on the same store, and takes what others leave."""

    arguments: tuple[str, ...]
    """Of the command line. Paths are absolute."""
    folder: Path
    """Where workers may log, a directory that does not exist yet, on a file system that they share."""
    until: Until | None = None
    """By when they have stopped, if their jobs do not end before."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How many pull-workers run, and how many wait to be started."""

    running: int
    waiting: int


class Pool(Protocol):
    """Pull-workers that were submitted."""

    label: str
    """What it is called where it can be looked up: 'SLURM job 12'."""
    cancelling: str
    """The command that cancels it."""

    def look(self) -> Seen | None:
        """How many live; None if that is not known now."""

    def going(self) -> Sequence[str]:
        """What each worker has printed last of a step that goes on; nothing of one that has finished a step since."""

    def trouble(self) -> str:
        """What workers report that could not work; empty if they could."""

    def cancel(self) -> None:
        """Let all end, saving snapshots. Calling it again does nothing."""

    def finish(self) -> None:
        """Everything is done: workers that run end by themselves, those that wait are not needed."""


class Executor(Entry):
    """An entry of the executors: what `--executor NAME` means."""

    elsewhere: ClassVar[bool] = False
    """Whether steps run on other machines, where devices are resolved. The engine then has a `label`: how many
    workers there are, and where."""
    pulls: ClassVar[bool] = False
    """Whether its workers are whole runs that share the store (`submit`); else they do single steps (`engine`)."""

    @classmethod
    def dispensable(cls) -> frozenset[str]:
        """An executor has one of both."""
        return frozenset({"engine" if cls.pulls else "submit"})

    def start_early(self) -> None:
        """Called before the study of a run is read: start what takes time and does not depend on the study."""

    def stop_early(self) -> None:
        """Called if a run has nothing to do, or its study is refused: end what `start_early` has started."""

    @required
    def engine(self, jobs: int, imports: Sequence[str]) -> Any:
        """An `execute.engine.Engine` for up to `jobs` steps at once.

        `imports` are modules to import before the first step.
        """
        raise NotImplementedError

    def engine_for(self, asked: Asked, jobs: int, imports: Sequence[str]) -> Any:
        """The same for what a user asked for, of which `jobs` is what this machine can do; used instead of `engine`."""
        return self.engine(jobs, imports)

    @required
    def submit(self, pull: Pull) -> Pool:
        """Start pull-workers. Raises PrunectlError if that is refused."""
        raise NotImplementedError
