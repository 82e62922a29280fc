"""The directory of a store: its marker, its folders, and whatever is in their way.

Every error of the disk is a StoreError. What is damaged, or of another kind than what belongs in its place, is set
aside, and is missing from then on; where it cannot be moved (a read-only store), this process no longer uses it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import filelock

from prunectl.base.errors import StoreError
from prunectl.store import layout
from prunectl.store.aside import set_aside
from prunectl.store.atomic import (
    DRAFT,
    ODD,
    make_directory,
    new_directory,
    read_document,
    remove_tree,
    sweep_drafts,
    write_whole,
)
from prunectl.store.disk import store_error

IN_PLACE = "a file in the place of a directory"

LEFT = re.compile(rf"{DRAFT.pattern}|\..+\.\d+|\.tmp\w{{6}}")
"""Names of drafts, of those of earlier versions, and of those of safetensors."""

_log = logging.getLogger("prunectl")

BLOCKS = (512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536)
"""Sizes of blocks that are taken from the file system, in bytes."""
USUAL_BLOCK = 4096


class StoreDirectory:
    """Where a store is."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unusable: set[str] = set()
        """Keys of damaged artefacts, and paths of other damaged files, that cannot be moved."""

    @property
    def address(self) -> Path | str:
        """What opens this store in any process: see `store.address`."""
        return self.root.absolute()

    @property
    def url(self) -> str | None:
        """The URL of a store that is not a directory."""
        return None

    @property
    def block_bytes(self) -> int:
        """In what units files take space: the blocks of the file system, or single bytes in a bucket."""
        if self.url is not None:
            return 1
        with contextlib.suppress(OSError, AttributeError):
            block_bytes = os.statvfs(self.root).f_frsize
            if block_bytes in BLOCKS:  # network file systems report the size of their requests
                return block_bytes
        return USUAL_BLOCK

    @property
    def jobs(self) -> Path:
        """Where an executor may keep what its jobs need."""
        return self.root.absolute() / layout.JOBS

    def __str__(self) -> str:
        """The store in messages."""
        return str(self.root)

    @property
    def free_bytes(self) -> int:
        """What is left on the disk of the store, or of the directory that it would be created in."""
        place = self.root.absolute()
        while not place.exists() and place != place.parent:
            place = place.parent
        with self._guarded("read"):
            return shutil.disk_usage(place).free

    def open(self) -> Self:
        """Make sure that this is a store, or can become one. Nothing is written: one that does not exist is empty.

        Raises StoreError for a directory that is no store, a layout of another version, and a store that cannot be
        read.
        """
        marker = self.root / layout.MARKER
        with self._guarded("read"):
            if not os.path.lexists(marker):
                self._refuse_others()
            elif (found := self._layout(marker)) == layout.REMOTE_LAYOUT:
                raise StoreError(
                    f"{self.root} holds the objects of a remote store",
                    hint=f"use --store file://{self.root.absolute()}",
                )
            elif found != layout.LAYOUT:
                raise StoreError(
                    f"the store {self.root} has a layout that this version of prunectl does not know",
                    hint="use the version that created it, or choose another store with --store DIR",
                )
        return self

    def create(self) -> Self:
        """Create the store if it does not exist. Raises StoreError."""
        marker = self.root / layout.MARKER
        with self._guarded("written"):
            if not os.path.lexists(marker):
                self._refuse_others()
                for folder in (layout.OBJECTS, layout.SCRATCH, layout.LOCKS):
                    self._make_directory(self.root / folder)
                _write_marker(marker)  # a store that has all its folders may have lost it
        return self

    def _refuse_others(self) -> None:
        """Raises StoreError if what is in the place of a store is no store."""
        if self.root.exists() and not self.root.is_dir():
            raise StoreError(f"the store {self.root} is a file", hint="choose another with --store DIR")
        if self.root.exists() and any(self.root.iterdir()) and not (self.root / layout.OBJECTS).exists():
            raise StoreError(
                f"{self.root} is not empty and not a store", hint="choose an empty directory with --store DIR"
            )

    def _layout(self, marker: Path) -> int:
        """The layout that the marker names. A damaged one is written again: every artefact is verified anyway."""
        with contextlib.suppress(ValueError, RecursionError, KeyError, TypeError):
            try:
                version = json.loads(read_document(marker))["layout"]
            except OSError as error:
                if error.errno not in ODD:
                    raise
            else:
                if isinstance(version, int):
                    return version
        if self._lay_aside(marker, "it names no layout"):
            _write_marker(marker)
        return layout.LAYOUT

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty, locked directory on the store's file system. It is removed at the end unless `put` has moved it."""
        with self._guarded("written"):
            self._make_directory(self.root / layout.SCRATCH)
            path = new_directory(self.root / layout.SCRATCH)
            lock = _scratch_lock(path)
            lock.acquire()
        try:
            yield path
        finally:
            _clear(path, lock)

    def sweep(self, older_than_s: float = 3600.0) -> None:
        """Remove the scratch directories and drafts of killed processes. One that is locked is in use, however old.

        Younger ones are left alone: they may not be locked yet.
        """
        with contextlib.suppress(OSError):
            for path in (self.root / layout.SCRATCH).iterdir():
                with contextlib.suppress(OSError):  # locked, or another process has removed it
                    if time.time() - path.stat().st_mtime > older_than_s:
                        folder = path.with_suffix("")  # for a lock file, the directory that it locks
                        lock = _scratch_lock(folder)
                        lock.acquire()
                        _clear(folder, lock)
        for pattern in ("", f"{layout.FAILURES}/*", f"{layout.LOGS}/*", f"{layout.SNAPSHOTS}/*/*"):
            for folder in self.root.glob(pattern) if pattern else [self.root]:
                sweep_drafts(folder, pattern=LEFT, older_than_s=older_than_s)

    @contextlib.contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        """Turn an error of the system into a StoreError; `doing` is "read" or "written"."""
        try:
            yield
        except filelock.Timeout:  # an OSError, too
            raise
        except OSError as error:
            raise store_error(error, self.root, doing) from error

    def listed(self, folder: str) -> set[str]:
        """The keys that have something in a folder of the store, by its name alone: one look for all of a plan."""
        with self._guarded("read"):
            shards = (self.root / folder).glob("[0-9a-f][0-9a-f]")
            return {path.name.partition(".")[0] for shard in shards if shard.is_dir() for path in shard.iterdir()}

    def _make_directory(self, path: Path) -> None:
        """Create a directory of the store; a file in its place, or in that of a parent, is set aside.

        The first one makes the store: it has its marker then.
        """
        if path.is_dir():
            return
        if path != self.root:
            self._make_directory(path.parent)
            # Looked at again: another process may have made the directory since.
            if os.path.lexists(path) and not path.is_dir():
                self._lay_aside(path, IN_PLACE)
        make_directory(path)
        if path.parent == self.root and not os.path.lexists(marker := self.root / layout.MARKER):
            _write_marker(marker)

    def _require_file(self, path: Path) -> None:
        """Set aside a directory in the place of a file."""
        if path.is_dir():
            self._lay_aside(path, "a directory in the place of a file")

    def _require_access(self, folder: Path) -> None:
        """Raises PermissionError if nothing can be put into a directory."""
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))

    def _lay_aside(self, path: Path, why: str) -> bool:
        """Set aside something that is no artefact, with a warning. Returns whether it could be moved."""
        if str(path) in self._unusable:
            return False
        kept = set_aside(self.root, path, why)
        if kept is not None:
            self._unusable.add(str(path))
        fate = "it has been set aside" if kept is None else f"it cannot be set aside ({kept})"
        _log.warning("%s is damaged: %s; %s", path, why, fate)
        return kept is None


def _write_marker(marker: Path) -> None:
    write_whole(marker, json.dumps({"layout": layout.LAYOUT}).encode() + b"\n")


def _scratch_lock(scratch: Path) -> filelock.FileLock:
    """The lock of the process that builds in a scratch directory; the system frees it if that process is killed."""
    return filelock.FileLock(scratch.with_suffix(".lock"), blocking=False)


def _clear(scratch: Path, lock: filelock.FileLock) -> None:
    """Remove a scratch directory that this process has locked, and its lock. What cannot be removed is swept later."""
    remove_tree(scratch)
    with contextlib.suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        lock.release()
