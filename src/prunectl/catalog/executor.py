"""What every executor declares: where the workers of a run come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required


class Executor(Entry):
    """An entry of the executors: what `--executor NAME` stands for."""

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
