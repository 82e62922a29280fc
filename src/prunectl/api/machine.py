"""Where steps run: device, number of processes and threads, executor. None of it changes a key."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from prunectl.base.errors import PrunectlError, StudyError
from prunectl.base.text import and_list, plural
from prunectl.base.until import Until, until
from prunectl.execute.devices import kind_and_places, resolve_devices

if TYPE_CHECKING:
    from prunectl.catalog.executor import Asked, Executor

T = TypeVar("T")

MOST_READERS = 8
"""Maximum number of processes that read pictures ahead for one training, on cores that it would leave idle."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where steps run, as a user asks for it."""

    device: str = "auto"
    """'auto', 'cpu', 'cuda' (every GPU), or some of them: 'cuda:0,2'."""
    jobs: int | None = None
    """Number of steps at once on each device; by default that of the user's settings, one per core, or one on a GPU."""
    threads: int = 1
    """CPU threads per step. Changing it may change results in the last bits."""
    executor: str | Executor | None = None
    """An executor's name, an inline TOML table with its name and parameters, or the executor; by default that of the
    user's settings, or local."""
    until: Until | None = None
    """By when the run has stopped, finished or not."""
    shares: bool = False
    """Whether the run is one of several on a store, and ends when the others do all that is left."""


def deadline(asked: str | None) -> Until | None:
    """The moment of `--until`, from now. Raises PrunectlError."""
    return None if asked is None else until(asked, time.time())


@dataclass(frozen=True, kw_only=True)
class Workers:
    """The same with everything settled."""

    devices: tuple[str, ...]
    """Where steps run, each on one of them: ('cpu',), ('cuda:0', 'cuda:2').

    ('auto',) is not resolved yet: the executor does that elsewhere.
    """
    jobs: int
    """Number of steps at once, on all devices together."""
    threads: int
    readers: int
    executor: Executor

    asked: Asked
    """What was asked for."""

    @property
    def device(self) -> str:
        """The first device: what is done once, as the check before the first step, is done there."""
        return self.devices[0]

    @property
    def label(self) -> str:
        """How many workers there are, and where: '4 workers on cuda:0 and cuda:1'."""
        return described(self.jobs, self.devices)

    def engine(self, imports: Sequence[str] = ()) -> Any:
        """An engine for these workers, which imports modules before the first step."""
        return self.executor.engine_for(self.asked, self.jobs, imports)


def settled(machine: Machine) -> Workers:
    """The workers that a machine gives. Raises PrunectlError for a device or executor that does not exist."""
    from prunectl.api.settings import settings
    from prunectl.catalog.executor import Asked

    executor = executor_of(machine.executor)
    asked = Asked(device=machine.device, jobs=machine.jobs or settings().jobs, threads=machine.threads)
    # Where workers are on other machines, a device is resolved there.
    elsewhere = executor.elsewhere or executor.pulls
    devices = (kind_and_places(asked.device)[0],) if elsewhere else resolve_devices(asked.device)
    jobs = (asked.jobs or default_jobs(devices[0])) * len(devices)
    readers = max(0, min(MOST_READERS, cores() // jobs - machine.threads))
    return Workers(devices=devices, jobs=jobs, threads=machine.threads, readers=readers, executor=executor, asked=asked)


def likely_workers(machine: Machine) -> str:
    """How many workers a run most likely has, and where, in words. Does not import torch. Raises PrunectlError."""
    from prunectl.api.settings import settings
    from prunectl.execute.devices import likely_devices

    executor = executor_of(machine.executor)
    if executor.elsewhere or executor.pulls:
        return f"started by the executor {executor.name}"
    devices = likely_devices(machine.device)
    jobs = machine.jobs or settings().jobs or default_jobs(devices[0])
    return described(jobs * len(devices), devices)


def described(jobs: int, devices: Sequence[str]) -> str:
    """'4 workers on cuda:0 and cuda:1'."""
    return f"{plural(jobs, 'worker')} on {and_list(list(devices))}"


@contextmanager
def starting_early(machine: Machine) -> Iterator[None]:
    """While the study of a run is read and planned: start what its workers will need; end it if the study is refused.

    Raises PrunectlError for an executor that does not exist.
    """
    executor = executor_of(machine.executor)
    executor.start_early()
    try:
        yield
    except BaseException:
        executor.stop_early()
        raise


def executor_of(asked: str | Executor | None) -> Executor:
    """An executor by its name, or by an inline TOML table: '{ name = "local" }'; None is that of the user's settings.

    Raises StudyError.
    """
    from prunectl.api.settings import settings
    from prunectl.catalog.executor import Executor

    asked = asked or settings().executor or "local"
    return entry_of("executors", Executor, "--executor", asked) if isinstance(asked, str) else asked


def entry_of(catalog: str, kind: type[T], option: str, asked: str) -> T:
    """The entry of a catalogue that an option names, as a name or as an inline TOML table. Raises StudyError."""
    from pydantic import ValidationError

    from prunectl.catalog.lookup import names
    from prunectl.catalog.problems import problems_of
    from prunectl.catalog.section import resolve

    table = _table(asked, option, names(catalog)[0])
    try:
        entry = resolve(catalog, table)
    except ValidationError as error:
        raise StudyError(f"{option} {asked!r} cannot be used", problems_of(error, table)) from None
    assert isinstance(entry, kind), "a catalogue holds entries of its own kind only"
    return entry


def _table(text: str, option: str, example: str) -> dict[str, Any]:
    from prunectl.base.cells import parsed

    try:
        value = parsed(text)
    except ValueError as error:
        hint = f"write it as {option} '{{ name = \"{example}\" }}'"
        raise PrunectlError(f"{option} {text!r} is not a TOML table: {error}", hint=hint) from None
    return value if isinstance(value, dict) else {"name": text}


def default_jobs(device: str) -> int:
    """One process per core on the CPU, one on a GPU."""
    return cores() if device == "cpu" else 1


def cores() -> int:
    """The cores that this process may use. SLURM does not bind a job to the cores that it was given everywhere."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE") or ""
    return max(1, min(usable, int(given))) if given.isdecimal() else usable
