"""A store in a local directory.

Correctness comes from writing to a temporary directory, fsync and rename. Locks only avoid doing work twice.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prunectl.base.errors import StoreError
from prunectl.store import layout
from prunectl.store.aside import set_aside
from prunectl.store.atomic import (
    ODD,
    read_document,
    read_file,
    remove_tree,
    sha256,
    sync,
    sync_directory,
    write_whole,
)
from prunectl.store.attempts import Attempts
from prunectl.store.directory import IN_PLACE
from prunectl.store.disk import store_error
from prunectl.store.hardware import HardwareClass, counted
from prunectl.store.known_hardware import KnownHardware
from prunectl.store.manifest import DamagedError, Made, Manifest, decode, encode

__all__ = ["DamagedError", "LocalStore"]


class LocalStore(Attempts):
    """Artefacts by key. Every read verifies; an artefact that fails verification is set aside and never used."""

    def require_writable(self) -> None:
        """Raises StoreError, before anything is computed, if no step could be stored here."""
        self.create()
        with self.scratch(), self._guarded("written"):
            for name in (layout.OBJECTS, layout.FAILURES, layout.SNAPSHOTS, layout.LOCKS):
                self._make_directory(self.root / name)
                self._require_access(self.root / name)

    def refresh(self) -> None:
        """Before the store is looked through: forget what others may have changed. A directory is read anyway."""

    def prefetch(self, keys: Iterable[str], *names: str) -> None:
        """Before the manifests, and files of these names, are read of many artefacts. A directory is fast anyway."""

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

    def hardware(self, keys: Iterable[str]) -> dict[HardwareClass, int]:
        """How many of these artefacts were made on each class; a key without artefact is left out.

        Raises DamagedError for a manifest that is damaged and was not read before.
        """
        return counted(KnownHardware(self.root).of(keys, lambda key: self.manifest(key).made.hardware_class))

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
                raise self._damaged(key, changed(name))
        return folder

    def check(self, key: str) -> None:
        """Check every byte of an artefact where it is stored. Raises KeyError and DamagedError as `manifest` does."""
        self.fetch(key)

    def extract(self, key: str, folder: Path) -> Manifest:
        """Copy the files of an artefact to a directory, verified. Raises KeyError and DamagedError."""
        manifest = self.manifest(key)
        for name in manifest.files:
            (folder / name).write_bytes(self.read(key, name, manifest))
        return manifest

    def receive(self, source: LocalStore, key: str) -> Manifest:
        """Store an artefact of another store. Raises KeyError and DamagedError for one that it does not have sound."""
        with self.scratch() as out:
            manifest = source.extract(key, out)
            self.put(key, manifest.preimage, out, manifest.made)
        return manifest

    def preimage(self, key: str) -> str:
        """The pre-image of an artefact, not verified; empty if it cannot be read."""
        return str(document_of(self._object(key)).get("preimage", ""))

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
            raise self._damaged(key, changed(name))
        return data

    def _unreadable(self, key: str, name: str, error: OSError) -> DamagedError | StoreError | KeyError:
        """The error for a file that is missing or no file: damage, set aside. Else the disk or permissions fail.

        A KeyError if the artefact was deleted meanwhile: it is missing, not damaged.
        """
        if not self.has(key):
            return KeyError(key)
        if error.errno == errno.ENOENT or error.errno in ODD:
            return self._damaged(key, changed(name))
        return store_error(error, self.root, "read")

    def _damaged(self, key: str, why: str) -> DamagedError:
        """The error for a damaged artefact, after it was set aside; if it cannot be, it is not used any more."""
        kept = set_aside(self.root, self._object(key), why)
        if kept is not None:
            self._unusable.add(key)
        return DamagedError(key, why, kept)

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
        with self._guarded("written"):
            complete(key, preimage, built, made)
        self.enter(key, built)

    def enter(self, key: str, built: Path) -> None:
        """Move a directory with its manifest to the place of its artefact, unless that is complete already."""
        home = self._object(key)
        with self._guarded("written"):
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


def changed(name: str) -> str:
    """What is wrong with an artefact of which a file is missing or does not have its digest."""
    return f"{name} is not what was written"


def complete(key: str, preimage: str, built: Path, made: Made) -> Manifest:
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
    return manifest


def document_of(home: Path) -> dict[str, Any]:
    """The manifest in the directory of an artefact, not verified; empty if it is gone or cannot be read."""
    try:
        manifest = json.loads((home / layout.MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("made"), dict) else {}
