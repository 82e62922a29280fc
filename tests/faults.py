"""Failing file-system calls below a directory, in the process of a test.

Python reports its calls to audit hooks before it makes them, and an exception of a hook takes the place of the call.
`os.fsync`, which is not reported, is replaced. What libraries in other languages write is not reached.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.link", "os.truncate"}
READS = {"os.listdir", "os.scandir"}


@dataclass(kw_only=True)
class Faults:
    """Which of the calls fail, counted from 1, and the number made so far."""

    root: Path
    error: int
    at: int
    lasting: bool
    """Whether all later calls fail as well."""
    reads: bool
    """Whether reading fails, too."""
    count: int = 0

    def meet(self, path: object) -> None:
        """Count a call. Raises OSError if it is to fail."""
        if not isinstance(path, str | Path) or not str(path).startswith(str(self.root)):
            return
        self.count += 1
        if self.count == self.at or (self.lasting and self.count > self.at > 0):
            raise OSError(self.error, os.strerror(self.error), str(path))


_armed: list[Faults] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _armed:
        return
    faults = _armed[-1]
    if event == "open":
        path, mode, flags = arguments
        writes = bool(flags & WRITING) if mode is None else not mode.startswith("r")
        if writes or faults.reads:
            faults.meet(path)
    elif event in CHANGES or (faults.reads and event in READS):
        faults.meet(arguments[0])
    elif event == "fcntl.flock" and not arguments[1] & fcntl.LOCK_UN:  # to unlock never fails
        faults.meet(Path(f"/proc/self/fd/{arguments[0]}").readlink())


@contextmanager
def failing(root: Path, error: int, *, at: int = 0, lasting: bool = False, reads: bool = False) -> Iterator[Faults]:
    """Let a call below a directory fail with an errno; with `at=0` only count the calls."""
    if not getattr(sys, "_prunectl_faults", False):
        sys.addaudithook(_hook)
        sys._prunectl_faults = True  # type: ignore[attr-defined]  # a hook cannot be removed, so it is added once
    fsync = os.fsync

    def flush(fd: Any) -> None:
        if _armed:
            _armed[-1].meet(Path(f"/proc/self/fd/{fd}").readlink())
        fsync(fd)

    faults = Faults(root=root, error=error, at=at, lasting=lasting, reads=reads)
    _armed.append(faults)
    os.fsync = flush
    try:
        yield faults
    finally:
        os.fsync = fsync
        _armed.pop()
