"""A store in a directory: put, get, verify, gc. Correct by write-temporary, fsync, rename; locks only save work."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from prunectl.base.errors import StoreError
from prunectl.store import layout
from prunectl.store.atomic import remove_tree, sha256, store_error, sync, write_whole
from prunectl.store.manifest import DamagedError, Made, Manifest, decode, encode

__all__ = ["DamagedError", "LocalStore"]


class LocalStore:
    """Artefacts by key. Everything that reads verifies; what does not verify is set aside and never used."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self) -> LocalStore:
        """Make the store if it is not there. Raises StoreError if the directory is something else or read-only."""
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
                    f"the store {self.root} has a layout that this prunectl does not know",
                    hint="use the prunectl that made it, or choose another store with --store DIR",
                )
            for room in (layout.SCRATCH, layout.LOCKS):
                (self.root / room).mkdir(exist_ok=True)
        except OSError as error:
            raise store_error(error, self.root) from error
        except ValueError as error:
            raise StoreError(f"{marker} is damaged", hint=f"if this is a store, delete {marker.name}") from error
        return self

    # ---- artefacts -------------------------------------------------------------------------------

    def has(self, key: str) -> bool:
        """Whether there is a complete artefact. Cheap: completeness is the manifest, which is written last."""
        return os.path.exists(layout.place(self.root, layout.OBJECTS, key, f"{os.sep}{layout.MANIFEST}"))  # noqa: PTH110

    def manifest(self, key: str) -> Manifest:
        """The verified manifest. Raises KeyError if there is no artefact, DamagedError if it is not sound."""
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
        """The artefact's directory, every file of it verified."""
        manifest = self.manifest(key)
        for name in manifest.files:
            self._check(manifest, name)
        return self._object(key)

    def read(self, key: str, name: str) -> bytes:
        """One verified file of an artefact."""
        self._check(self.manifest(key), name)
        return (self._object(key) / name).read_bytes()

    def _check(self, manifest: Manifest, name: str) -> None:
        path = self._object(manifest.key) / name
        try:
            sound = sha256(path) == manifest.files[name]
        except FileNotFoundError:
            sound = False
        if not sound:
            why = f"{name} is not what was written"
            self.set_aside(manifest.key, why)
            raise DamagedError(manifest.key, why)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty directory on the store's file system, gone afterwards unless it was put. Until then it is locked."""
        try:
            path = Path(tempfile.mkdtemp(dir=self.root / layout.SCRATCH))
            lock = _lock_beside(path)
            lock.acquire()
        except OSError as error:
            raise store_error(error, self.root) from error
        try:
            yield path
        finally:
            _clear(path, lock)

    def put(self, key: str, preimage: str, built: Path, made: Made) -> None:
        """Take a directory in as the artefact of `key`: sync its files, write the manifest last, rename."""
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
                return  # another process was faster; the bits are the same
            remove_tree(home)  # without a manifest: not an artefact
            built.rename(home)
            sync(home.parent)
        except OSError as error:
            if self.has(key):
                return
            raise store_error(error, self.root) from error

    def set_aside(self, key: str, why: str) -> None:
        """Move a damaged artefact out of the way, with a note of what was wrong."""
        home = self._object(key)
        try:
            shelf = self.root / layout.ASIDE
            shelf.mkdir(exist_ok=True)
            place = Path(tempfile.mkdtemp(prefix=f"{key[:16]}-", dir=shelf))
            home.rename(place / "artefact")
            (place / "why.txt").write_text(why + "\n")
        except FileNotFoundError:
            return  # someone else has done it
        except OSError as error:
            raise store_error(error, self.root) from error

    def keys(self) -> Iterator[str]:
        """The keys of all complete artefacts, sorted."""
        for shard in sorted((self.root / layout.OBJECTS).glob("[0-9a-f][0-9a-f]")):
            for home in sorted(shard.iterdir()):
                if (home / layout.MANIFEST).exists():
                    yield home.name

    def size_bytes(self, key: str) -> int:
        """Bytes that an artefact takes, sound or not."""
        return sum(file.stat().st_size for file in self._object(key).iterdir())

    def delete(self, key: str) -> None:
        """Remove an artefact: the manifest first, so that it is never half there."""
        home = self._object(key)
        (home / layout.MANIFEST).unlink(missing_ok=True)
        remove_tree(home)

    # ---- beside the artefacts --------------------------------------------------------------------

    def lock(self, key: str) -> FileLock:
        """The lock of the process that makes an artefact; freed by the system if that process is killed."""
        return FileLock(self.root / layout.LOCKS / f"{key}.lock", blocking=False)

    def forget_lock(self, key: str) -> None:
        """Remove the lock's file once its artefact is there."""
        (self.root / layout.LOCKS / f"{key}.lock").unlink(missing_ok=True)

    def under_way(self, key: str) -> bool:
        """Whether a training has left a snapshot."""
        return os.path.exists(layout.place(self.root, layout.SNAPSHOTS, key))  # noqa: PTH110

    def snapshots(self, key: str) -> Path:
        """Where the training of `key` keeps what it needs to be taken up again."""
        return layout.sharded(self.root, layout.SNAPSHOTS, key)

    def failure(self, key: str) -> dict[str, str] | None:
        """The failure recorded for a step, if there is one: `reason`, and `kind` ("method" or "crash")."""
        path = layout.place(self.root, layout.FAILURES, key, ".json")
        if not os.path.exists(path):  # noqa: PTH110  # asked of every step of a plan
            return None
        try:
            found = json.loads(Path(path).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def record_failure(self, key: str, kind: str, reason: str, detail: str) -> None:
        """Keep why a step failed."""
        path = layout.sharded(self.root, layout.FAILURES, key, ".json")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            record = {"kind": kind, "reason": reason, "detail": detail}
            write_whole(path, json.dumps(record, indent=1).encode() + b"\n")
        except OSError as error:
            raise store_error(error, self.root) from error

    def forget_failure(self, key: str) -> None:
        """A step that failed before has been made, or is to be tried again."""
        layout.sharded(self.root, layout.FAILURES, key, ".json").unlink(missing_ok=True)

    def sweep(self, older_than_s: float = 3600.0) -> None:
        """Remove what killed processes left half built: what is locked is in use, however old.

        What is younger is left alone: it may not be locked yet, or be of a prunectl that did not lock.
        """
        import time

        with contextlib.suppress(OSError):
            for path in (self.root / layout.SCRATCH).iterdir():
                with contextlib.suppress(OSError):  # locked, or someone else has removed it
                    if time.time() - path.stat().st_mtime > older_than_s:
                        room = path.with_suffix("")  # of a lock: what it locks
                        lock = _lock_beside(room)
                        lock.acquire()
                        _clear(room, lock)

    def _object(self, key: str) -> Path:
        return layout.sharded(self.root, layout.OBJECTS, key)


def _lock_beside(scratch: Path) -> FileLock:
    """The lock of the process that builds in a scratch directory; freed by the system if that process is killed."""
    return FileLock(scratch.with_suffix(".lock"), blocking=False)


def _clear(scratch: Path, lock: FileLock) -> None:
    """Remove a scratch directory that this process has locked, and its lock."""
    remove_tree(scratch)
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
