"""What every executor declares: where the workers of a run come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prunectl.catalog.entry import Entry
from prunectl.catalog.required import required


class Executor(Entry):
    """An entry of the executors: what `--executor NAME` stands for."""

    @required
    def engine(self, jobs: int, imports: Sequence[str]) -> Any:
        """An `execute.engine.Engine` for up to `jobs` steps at once.

        `imports` are modules to import before the first step.
        """
        raise NotImplementedError
