"""What every executor declares: where the workers of a run come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

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


class Executor(Entry):
    """An entry of the executors: what `--executor NAME` names."""

    elsewhere: ClassVar[bool] = False
    """Whether steps run on other machines, where devices are resolved. The engine then has a `label`: how many
    workers there are, and where."""

    @required
    def engine(self, jobs: int, imports: Sequence[str]) -> Any:
        """An `execute.engine.Engine` for up to `jobs` steps at once.

        `imports` are modules to import before the first step.
        """
        raise NotImplementedError

    def engine_for(self, asked: Asked, jobs: int, imports: Sequence[str]) -> Any:
        """The same for what a user asked for, of which `jobs` is what this machine can do; used instead of `engine`."""
        return self.engine(jobs, imports)
