"""Where steps run: device, number of processes and threads, executor. None of it changes a key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunectl.base.errors import PrunectlError, StudyError
from prunectl.base.text import and_list, plural

if TYPE_CHECKING:
    from prunectl.catalog.executor import Executor

MOST_READERS = 8
"""Maximum number of processes that read pictures ahead for one training, on cores that it would leave idle."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where steps run, as a user asks for it."""

    device: str = "auto"
    """'auto', 'cpu', 'cuda' (every GPU), or some of them: 'cuda:0,2'."""
    jobs: int | None = None
    """Number of steps at once on each device; by default one per core, or one on a GPU."""
    threads: int = 1
    """CPU threads per step. Changing it may change results in the last bits."""
    executor: str | Executor = "local"
    """An executor's name, an inline TOML table with its name and parameters, or the executor."""


@dataclass(frozen=True, kw_only=True)
class Workers:
    """The same with everything settled."""

    devices: tuple[str, ...]
    """Where steps run, each on one of them: ('cpu',), ('cuda:0', 'cuda:2')."""
    jobs: int
    """Number of steps at once, on all devices together."""
    threads: int
    readers: int
    executor: Executor

    @property
    def device(self) -> str:
        """The first device: what is done once, as the check before the first step, is done there."""
        return self.devices[0]

    @property
    def label(self) -> str:
        """How many workers there are, and where: '4 workers on cuda:0 and cuda:1'."""
        return f"{plural(self.jobs, 'worker')} on {and_list(self.devices)}"


def settled(machine: Machine) -> Workers:
    """The workers that a machine gives. Raises PrunectlError for a device or executor that does not exist."""
    executor = executor_of(machine.executor)
    devices = resolve_devices(machine.device)
    jobs = (machine.jobs or default_jobs(devices[0])) * len(devices)
    readers = max(0, min(MOST_READERS, cores() // jobs - machine.threads))
    return Workers(devices=devices, jobs=jobs, threads=machine.threads, readers=readers, executor=executor)


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


def executor_of(asked: str | Executor) -> Executor:
    """An executor by its name, or by an inline TOML table: '{ name = "local" }'."""
    from pydantic import ValidationError

    from prunectl.catalog.executor import Executor
    from prunectl.catalog.problems import problems_of
    from prunectl.catalog.table import resolve

    if not isinstance(asked, str):
        return asked
    table = _table(asked)
    try:
        entry = resolve("executors", table)
    except ValidationError as error:
        raise StudyError(f"--executor {asked!r} cannot be used", problems_of(error, table)) from None
    assert isinstance(entry, Executor), "a catalogue holds entries of its own kind only"
    return entry


def _table(text: str) -> dict[str, Any]:
    from prunectl.base.cells import parsed

    try:
        value = parsed(text)
    except ValueError as error:
        hint = "write it as --executor '{ name = \"local\" }'"
        raise PrunectlError(f"--executor {text!r} is not a TOML table: {error}", hint=hint) from None
    return value if isinstance(value, dict) else {"name": text}


def default_jobs(device: str) -> int:
    """One process per core on the CPU, one on a GPU."""
    return cores() if device == "cpu" else 1


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resolve_devices(asked: str) -> tuple[str, ...]:
    """`cuda` is every GPU that torch can use, `cuda:0,2` are two of them; `auto` is every GPU, else the CPU.

    Raises PrunectlError for a device that does not exist.
    """
    head, _, places = asked.partition(":")
    wanted = places.split(",") if ":" in asked else []
    if head not in ("auto", "cpu", "cuda") or (wanted and head != "cuda") or not all(map(str.isdigit, wanted)):
        raise PrunectlError(f"no device {asked!r}; a device is auto, cpu, cuda (every GPU), or cuda:0, cuda:0,2, ...")
    if head == "cpu" or (head == "auto" and not Path("/dev/nvidiactl").exists()):
        return ("cpu",)
    import torch  # only on machines with a GPU, or where CUDA is asked for

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    chosen = [int(place) for place in dict.fromkeys(wanted)] or list(range(count))
    if chosen and max(chosen) < count:
        return tuple(f"cuda:{place}" for place in chosen)
    if head == "auto":
        return ("cpu",)
    raise PrunectlError(
        f"no device {asked!r} on this machine: torch {torch.__version__} finds {count} CUDA devices",
        hint="use --device cpu, or install a torch built for this machine's driver",
    )
