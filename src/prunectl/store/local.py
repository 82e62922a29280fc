"""A store in a local directory.

Correctness comes from writing to a temporary directory, fsync and rename. Locks only avoid doing work twice.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import filelock

from prunectl.base.errors import StoreError
from prunectl.store import layout
from prunectl.store.aside import set_aside
from prunectl.store.atomic import (
    DRAFT,
    ODD,
    new_directory,
    read_document,
    read_file,
    remove_tree,
    sha256,
    sweep_drafts,
    sync,
    sync_directory,
    write_whole,
)
from prunectl.store.directory import IN_PLACE, StoreDirectory
from prunectl.store.disk import store_error
from prunectl.store.manifest import DamagedError, Made, Manifest, decode, encode

__all__ = ["DamagedError", "LocalStore"]

LEFT = re.compile(rf"{DRAFT.pattern}|\..+\.\d+|\.tmp\w{{6}}")
"""Names of drafts, of those of earlier versions, and of those of safetensors."""


class LocalStore(StoreDirectory):
    """Artefacts by key. Every read verifies; an artefact that fails verification is set aside and never used."""

    def require_writable(self) -> None:
        """Raises StoreError, before anything is computed, if no step could be stored here."""
        with self.scratch(), self._guarded("written"):
            for name in (layout.OBJECTS, layout.FAILURES, layout.SNAPSHOTS, layout.LOCKS):
                self._make_directory(self.root / name)
                self._require_access(self.root / name)

    # ---- artefacts -------------------------------------------------------------------------------

    def has(self, key: str) -> bool:
        """Whether there is a complete artefact. Cheap: it is complete if its manifest, written last, exists."""
        return key not in self._unusable and os.path.exists(  # noqa: PTH110  # called for every step of a plan
            layout.place(self.root, layout.OBJECTS, key, f"{os.sep}{layout.MANIFEST}")
        )

    def manifest(self, key: str) -> Manifest:
        """The verified manifest. Raises KeyError if there is no artefact, DamagedError if it is damaged."""
        if key in self._unusable:
            raise KeyError(key)
        try:
            data = read_document(self._object(key) / layout.MANIFEST)
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(key) from None
        except OSError as error:
            raise self._unreadable(key, layout.MANIFEST, error) from error
        try:
            return decode(data, key)
        except DamagedError as error:
            raise self._damaged(key, error.why) from error

    def fetch(self, key: str) -> Path:
        """The artefact's directory, every file verified. Raises KeyError and DamagedError as `manifest` does."""
        manifest = self.manifest(key)
        folder = self._object(key)
        for name, stated in manifest.files.items():
            try:
                sound = sha256(folder / name) == stated
            except OSError as error:
                raise self._unreadable(key, name, error) from error
            if not sound:
                raise self._damaged(key, _changed(name))
        return folder

    def read(self, key: str, name: str, manifest: Manifest | None = None) -> bytes:
        """The bytes of one file, verified. A caller that has the artefact's manifest already passes it.

        Raises KeyError if there is no such artefact or file, DamagedError if the artefact is damaged.
        """
        stated = (manifest or self.manifest(key)).files[name]
        try:
            data = read_file(self._object(key) / name)
        except OSError as error:
            raise self._unreadable(key, name, error) from error
        if hashlib.sha256(data).hexdigest() != stated:
            raise self._damaged(key, _changed(name))
        return data

    def _unreadable(self, key: str, name: str, error: OSError) -> DamagedError | StoreError | KeyError:
        """The error for a file that is missing or no file: damage, set aside. Else the disk or permissions fail.

        A KeyError if the artefact was deleted meanwhile: it is missing, not damaged.
        """
        if not self.has(key):
            return KeyError(key)
        if error.errno == errno.ENOENT or error.errno in ODD:
            return self._damaged(key, _changed(name))
        return store_error(error, self.root, "read")

    def _damaged(self, key: str, why: str) -> DamagedError:
        """The error for a damaged artefact, after it was set aside; if it cannot be, it is not used any more."""
        kept = set_aside(self.root, self._object(key), why)
        if kept is not None:
            self._unusable.add(key)
        return DamagedError(key, why, kept)

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

    def make_way(self, key: str) -> None:
        """Set aside or remove what is in the way of an artefact and of its snapshots.

        Raises StoreError, before the step is done, if its artefact could not be stored.
        """
        home, snapshots = self._object(key), self.snapshots(key)
        with self._guarded("written"):
            self._make_directory(home.parent)
            self._require_access(home.parent)
            self._vacate(key)
            self._make_directory(snapshots.parent)
            if os.path.lexists(snapshots) and not snapshots.is_dir():
                self._lay_aside(snapshots, IN_PLACE)

    def put(self, key: str, preimage: str, built: Path, made: Made) -> None:
        """Store a directory as the artefact of `key`: sync its files, write the manifest last, rename."""
        home = self._object(key)
        with self._guarded("written"):
            _complete(key, preimage, built, made)
            self._make_directory(home.parent)
            if self.has(key):
                return  # another process was faster; its bits are the same
            self._vacate(key)
            try:
                built.rename(home)
            except OSError:
                if self.has(key):
                    return
                raise
            sync_directory(home.parent)

    def keys(self) -> Iterator[str]:
        """The keys of all complete artefacts, sorted."""
        for home in self._homes():
            if self.has(home.name):
                yield home.name

    def misplaced(self) -> Iterator[tuple[str, str, str | None]]:
        """Set aside everything that is in the place of an artefact's directory and is no directory.

        Yields its name, what is wrong with it, and why it cannot be moved, None if it was.
        """
        for home in list(self._homes()):
            if not home.is_dir():
                yield home.name, IN_PLACE, set_aside(self.root, home, IN_PLACE)

    def _homes(self) -> Iterator[Path]:
        """What is in the places of artefacts, and files in the places of their parents, sorted."""
        with self._guarded("read"):
            for shard in sorted((self.root / layout.OBJECTS).glob("[0-9a-f][0-9a-f]")):
                yield from sorted(shard.iterdir()) if shard.is_dir() else [shard]

    def size_bytes(self, key: str) -> int:
        """The size of an artefact on the disk, whether it is damaged or not."""
        with self._guarded("read"):
            return sum(file.lstat().st_size for file in self._object(key).iterdir())

    def delete(self, key: str) -> None:
        """Remove an artefact: the manifest first, so that it is never incomplete but present."""
        home = self._object(key)
        with self._guarded("written"):
            (home / layout.MANIFEST).unlink(missing_ok=True)
        remove_tree(home)
        with contextlib.suppress(OSError):
            self.log(key).unlink(missing_ok=True)

    def _object(self, key: str) -> Path:
        return layout.sharded(self.root, layout.OBJECTS, key)

    def _vacate(self, key: str) -> None:
        """Remove what is left of an artefact without a manifest; set aside a file in its place, or a broken link."""
        home = self._object(key)
        if os.path.lexists(home) and not home.is_dir():
            self._lay_aside(home, IN_PLACE)
        with contextlib.suppress(FileNotFoundError):
            (home / layout.MANIFEST).lstat()
            if self.has(key):
                return  # another process was faster
            self._lay_aside(home, "its manifest is not a file")
        remove_tree(home)
        if os.path.lexists(home):
            raise PermissionError(errno.EACCES, f"{home} is in the way and cannot be removed", str(home))

    # ---- locks, snapshots, failures --------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the lock of the process that computes an artefact; the system frees it if that process is killed.

        Raises filelock.Timeout if another process holds it.
        """
        path = self.root / layout.LOCKS / f"{key}.lock"
        lock = filelock.FileLock(path, blocking=False)
        with self._guarded("written"):
            self._make_directory(path.parent)
            self._require_file(path)
            lock.acquire()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                lock.release()

    def forget_lock(self, key: str) -> None:
        """Remove the lock's file, once its artefact is stored. One that cannot be removed does no harm."""
        with contextlib.suppress(OSError):
            (self.root / layout.LOCKS / f"{key}.lock").unlink(missing_ok=True)

    def under_way(self, key: str) -> bool:
        """Whether a training has left a snapshot to resume from."""
        return os.path.exists(layout.place(self.root, layout.SNAPSHOTS, key))  # noqa: PTH110

    def snapshots(self, key: str) -> Path:
        """The folder in which the training of `key` keeps its snapshots."""
        return layout.sharded(self.root, layout.SNAPSHOTS, key)

    def failure(self, key: str) -> dict[str, str] | None:
        """The failure recorded for a step, or None: its `kind` ("method" or "crash"), `reason` and `detail`.

        A damaged record is set aside, and the step is tried again.
        """
        place = layout.place(self.root, layout.FAILURES, key, ".json")
        if not os.path.exists(place):  # noqa: PTH110  # called for every step of a plan
            return None
        path = Path(place)
        try:
            failure = json.loads(read_document(path))
        except (ValueError, RecursionError):
            failure = None
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in ODD:
                raise store_error(error, self.root, "read") from error
            failure = None
        if _is_failure(failure):
            return dict(failure)
        self._lay_aside(path, "it is no record of a failure")
        return None

    def record_failure(self, key: str, kind: str, reason: str, detail: str) -> None:
        """Record why a step failed."""
        path = layout.sharded(self.root, layout.FAILURES, key, ".json")
        record = {"kind": kind, "reason": reason, "detail": detail}
        with self._guarded("written"):
            self._make_directory(path.parent)
            self._require_file(path)
            write_whole(path, json.dumps(record, indent=1).encode() + b"\n")

    def forget_failure(self, key: str) -> None:
        """Remove the failure of a step that has succeeded since. One that cannot be removed does no harm."""
        with contextlib.suppress(OSError):
            layout.sharded(self.root, layout.FAILURES, key, ".json").unlink(missing_ok=True)

    def keep_log(self, key: str, printed: bytes) -> None:
        """Keep what a step printed, in place of what it printed before; if it printed nothing, there is no log."""
        path = self.log(key)
        if not printed:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return
        with self._guarded("written"):
            self._make_directory(path.parent)
            write_whole(path, printed)

    def log(self, key: str) -> Path:
        """Where what a step printed is kept. There is no file if it printed nothing."""
        return layout.sharded(self.root, layout.LOGS, key, ".log")

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


def _changed(name: str) -> str:
    return f"{name} is not what was written"


def _is_failure(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("kind", "reason", "detail"))


def _complete(key: str, preimage: str, built: Path, made: Made) -> None:
    """Flush the files of an artefact and write its manifest. Whoever may read the directory may read them."""
    readable = stat.S_IMODE(built.stat().st_mode) & 0o444
    files = sorted(built.iterdir())
    for file in files:
        sync(file)
        file.chmod(readable)
    manifest = Manifest(
        key=key,
        preimage=preimage,
        files={file.name: sha256(file) for file in files},
        sizes={file.name: file.stat().st_size for file in files},
        made=made,
    )
    write_whole(built / layout.MANIFEST, encode(manifest))
    (built / layout.MANIFEST).chmod(readable)


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
