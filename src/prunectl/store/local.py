"""A store in a local directory.

Correctness comes from writing to a temporary directory, fsync and rename. Locks only avoid doing work twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from prunectl.base.errors import StoreError
from prunectl.store import layout
from prunectl.store.atomic import remove_tree, sha256, store_error, sync, write_whole
from prunectl.store.manifest import DamagedError, Made, Manifest, decode, encode

__all__ = ["DamagedError", "LocalStore"]


class LocalStore:
    """Artefacts by key. Every read verifies; an artefact that fails verification is set aside and never used."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self) -> LocalStore:
        """Create the store if it does not exist. Raises StoreError if the directory is not a store, or read-only."""
        marker = self.root / layout.MARKER
        try:
            if not marker.exists():
                if self.root.exists() and not self.root.is_dir():
                    raise StoreError(f"the store {self.root} is a file", hint="choose another with --store DIR")
                if self.root.exists() and any(self.root.iterdir()) and not (self.root / layout.OBJECTS).exists():
                    raise StoreError(
                        f"{self.root} is not empty and not a store", hint="choose an empty directory with --store DIR"
                    )
                (self.root / layout.OBJECTS).mkdir(parents=True, exist_ok=True)
                write_whole(marker, json.dumps({"layout": layout.LAYOUT}).encode() + b"\n")
            elif json.loads(marker.read_bytes()).get("layout") != layout.LAYOUT:
                raise StoreError(
                    f"the store {self.root} has a layout that this version of prunectl does not know",
                    hint="use the version that created it, or choose another store with --store DIR",
                )
            for folder in (layout.SCRATCH, layout.LOCKS):
                (self.root / folder).mkdir(exist_ok=True)
        except OSError as error:
            raise store_error(error, self.root) from error
        except ValueError as error:
            raise StoreError(f"{marker} is damaged", hint=f"if this is a store, delete {marker.name}") from error
        return self

    # ---- artefacts -------------------------------------------------------------------------------

    def has(self, key: str) -> bool:
        """Whether there is a complete artefact. Cheap: it is complete if its manifest, written last, exists."""
        return os.path.exists(layout.place(self.root, layout.OBJECTS, key, f"{os.sep}{layout.MANIFEST}"))  # noqa: PTH110

    def manifest(self, key: str) -> Manifest:
        """The verified manifest. Raises KeyError if there is no artefact, DamagedError if it is damaged."""
        try:
            data = (self._object(key) / layout.MANIFEST).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None
        except OSError as error:
            raise store_error(error, self.root) from error
        try:
            return decode(data, key)
        except DamagedError as error:
            self.set_aside(key, error.why)
            raise

    def fetch(self, key: str) -> Path:
        """The artefact's directory, every file verified. Raises KeyError and DamagedError as `manifest` does."""
        manifest = self.manifest(key)
        folder = self._object(key)
        for name, stated in manifest.files.items():
            try:
                sound = sha256(folder / name) == stated
            except FileNotFoundError:
                sound = False
            if not sound:
                raise self._damaged(key, name)
        return folder

    def read(self, key: str, name: str, manifest: Manifest | None = None) -> bytes:
        """The bytes of one file, verified. A caller that has the artefact's manifest already passes it.

        Raises KeyError if there is no such artefact or file, DamagedError if the artefact is damaged.
        """
        stated = (manifest or self.manifest(key)).files[name]
        try:
            data = (self._object(key) / name).read_bytes()
        except FileNotFoundError:
            raise self._damaged(key, name) from None
        if hashlib.sha256(data).hexdigest() != stated:
            raise self._damaged(key, name)
        return data

    def _damaged(self, key: str, name: str) -> DamagedError | KeyError:
        """The error for a file that is missing or changed, after its artefact was set aside.

        A KeyError if the artefact was deleted meanwhile: it is missing, not damaged.
        """
        if not self.has(key):
            return KeyError(key)
        why = f"{name} is not what was written"
        self.set_aside(key, why)
        return DamagedError(key, why)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty, locked directory on the store's file system. It is removed at the end unless `put` has moved it."""
        try:
            path = Path(tempfile.mkdtemp(dir=self.root / layout.SCRATCH))
            lock = _scratch_lock(path)
            lock.acquire()
        except OSError as error:
            raise store_error(error, self.root) from error
        try:
            yield path
        finally:
            _clear(path, lock)

    def put(self, key: str, preimage: str, built: Path, made: Made) -> None:
        """Store a directory as the artefact of `key`: sync its files, write the manifest last, rename."""
        try:
            files = sorted(built.iterdir())
            for file in files:
                sync(file)
                file.chmod(0o444)
            manifest = Manifest(
                key=key,
                preimage=preimage,
                files={file.name: sha256(file) for file in files},
                sizes={file.name: file.stat().st_size for file in files},
                made=made,
            )
            write_whole(built / layout.MANIFEST, encode(manifest))
            (built / layout.MANIFEST).chmod(0o444)
            home = self._object(key)
            home.parent.mkdir(parents=True, exist_ok=True)
            if self.has(key):
                return  # another process was faster; its bits are the same
            remove_tree(home)  # has no manifest, so it is not an artefact
            built.rename(home)
            sync(home.parent)
        except OSError as error:
            if self.has(key):
                return
            raise store_error(error, self.root) from error

    def set_aside(self, key: str, why: str) -> None:
        """Move a damaged artefact to the folder for damaged ones, with a note of what was wrong."""
        home = self._object(key)
        try:
            aside = self.root / layout.ASIDE
            aside.mkdir(exist_ok=True)
            target = Path(tempfile.mkdtemp(prefix=f"{key[:16]}-", dir=aside))
            home.rename(target / "artefact")
            (target / "why.txt").write_text(why + "\n")
        except FileNotFoundError:
            return  # another process has done it
        except OSError as error:
            raise store_error(error, self.root) from error

    def keys(self) -> Iterator[str]:
        """The keys of all complete artefacts, sorted."""
        for shard in sorted((self.root / layout.OBJECTS).glob("[0-9a-f][0-9a-f]")):
            for home in sorted(shard.iterdir()):
                if (home / layout.MANIFEST).exists():
                    yield home.name

    def size_bytes(self, key: str) -> int:
        """The size of an artefact on the disk, whether it is damaged or not."""
        return sum(file.stat().st_size for file in self._object(key).iterdir())

    def delete(self, key: str) -> None:
        """Remove an artefact: the manifest first, so that it is never incomplete but present."""
        home = self._object(key)
        (home / layout.MANIFEST).unlink(missing_ok=True)
        remove_tree(home)

    # ---- locks, snapshots, failures --------------------------------------------------------------

    def lock(self, key: str) -> FileLock:
        """The lock of the process that computes an artefact; the system frees it if that process is killed."""
        return FileLock(self.root / layout.LOCKS / f"{key}.lock", blocking=False)

    def forget_lock(self, key: str) -> None:
        """Remove the lock's file, once its artefact is stored."""
        (self.root / layout.LOCKS / f"{key}.lock").unlink(missing_ok=True)

    def under_way(self, key: str) -> bool:
        """Whether a training has left a snapshot to resume from."""
        return os.path.exists(layout.place(self.root, layout.SNAPSHOTS, key))  # noqa: PTH110

    def snapshots(self, key: str) -> Path:
        """The folder in which the training of `key` keeps its snapshots."""
        return layout.sharded(self.root, layout.SNAPSHOTS, key)

    def failure(self, key: str) -> dict[str, str] | None:
        """The failure recorded for a step, or None: its `kind` ("method" or "crash"), `reason` and `detail`."""
        path = layout.place(self.root, layout.FAILURES, key, ".json")
        if not os.path.exists(path):  # noqa: PTH110  # called for every step of a plan
            return None
        try:
            failure = json.loads(Path(path).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return failure if isinstance(failure, dict) else None

    def record_failure(self, key: str, kind: str, reason: str, detail: str) -> None:
        """Record why a step failed."""
        path = layout.sharded(self.root, layout.FAILURES, key, ".json")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            record = {"kind": kind, "reason": reason, "detail": detail}
            write_whole(path, json.dumps(record, indent=1).encode() + b"\n")
        except OSError as error:
            raise store_error(error, self.root) from error

    def forget_failure(self, key: str) -> None:
        """Remove the failure of a step that has succeeded since, or is to be tried again."""
        layout.sharded(self.root, layout.FAILURES, key, ".json").unlink(missing_ok=True)

    def sweep(self, older_than_s: float = 3600.0) -> None:
        """Remove the scratch directories of killed processes. One that is locked is in use, however old it is.

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

    def _object(self, key: str) -> Path:
        return layout.sharded(self.root, layout.OBJECTS, key)


def _scratch_lock(scratch: Path) -> FileLock:
    """The lock of the process that builds in a scratch directory; the system frees it if that process is killed."""
    return FileLock(scratch.with_suffix(".lock"), blocking=False)


def _clear(scratch: Path, lock: FileLock) -> None:
    """Remove a scratch directory that this process has locked, and its lock."""
    remove_tree(scratch)
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
