"""A store that machines without a common file system share: objects in a bucket, with a local directory in front.

Every step works on local files. An artefact is complete once its manifest, sent last and never replaced, is in the
bucket; whoever loses the race for it keeps the winner's. What is fetched is verified before it is used. Snapshots,
locks and records of runs stay on their machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from prunectl.base.errors import StoreError
from prunectl.store import layout
from prunectl.store.bucket import Bucket
from prunectl.store.hardware import HardwareClass, counted
from prunectl.store.local import LocalStore, changed, complete
from prunectl.store.manifest import DamagedError, Made, Manifest, decode, encode

T = TypeVar("T")
AT_ONCE = 16
"""Requests at once where many small objects are read."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

_log = logging.getLogger("prunectl")


class RemoteStore(Bucket):
    """Artefacts by key in a bucket, and copies of those that were needed here.

    Opened, it lists the keys once (see `refresh`), so that a plan costs no request per step. Not opened, as workers
    use it, it asks for each: another machine may just have made the step.
    """

    def has(self, key: str) -> bool:
        """Whether the bucket has a complete artefact. A worker sends it the copy of one that it has lost."""
        if key in self._unusable:
            return False
        if self._lists:
            return key in self._names(layout.MANIFESTS)
        return self.objects.exists(layout.manifest_object(key)) or self._restored(key)

    def _restored(self, key: str) -> bool:
        try:
            manifest, folder = self.copies.manifest(key), self.copies.fetch(key)
        except (KeyError, DamagedError):
            return False
        self._send(manifest, folder)
        return True

    def keys(self) -> Iterator[str]:
        """The keys of all complete artefacts, sorted."""
        yield from sorted(self._names(layout.MANIFESTS) - self._unusable)

    def prefetch(self, keys: Iterable[str], *names: str) -> None:
        """Read the manifests of artefacts, and their files of these names, many at once; reading them is fast then.

        What is damaged is left for those who read it.
        """
        listed = self._names(layout.MANIFESTS)
        wanted = [key for key in keys if key in listed and not self.copies.has(key)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(partial(self._peek, names=names), wanted))

    def _peek(self, key: str, names: tuple[str, ...]) -> None:
        data = self.peeked.read(key, layout.MANIFEST) or self.objects.read(layout.manifest_object(key))
        if data is None:
            return
        with contextlib.suppress(DamagedError):
            manifest = _safe(decode(data, key))
            self.peeked.keep(key, layout.MANIFEST, data)
            for name in manifest.files.keys() & set(names):
                self._bytes(key, manifest.files[name])

    # ---- reading ---------------------------------------------------------------------------------

    def manifest(self, key: str) -> Manifest:
        """The verified manifest. Raises KeyError if there is no artefact, DamagedError if it is damaged."""
        if key in self._unusable:
            raise KeyError(key)
        return self._of_copy(key, lambda: self.copies.manifest(key)) or self._known(key)

    def hardware(self, keys: Iterable[str]) -> dict[HardwareClass, int]:
        """How many of these artefacts were made on each class, from their manifests. Raises DamagedError."""
        keys, classes = list(keys), []
        self.prefetch(keys)
        for key in keys:
            with contextlib.suppress(KeyError):  # removed in the meantime
                classes.append(self.manifest(key).made.hardware_class)
        return counted(classes)

    def read(self, key: str, name: str, manifest: Manifest | None = None) -> bytes:
        """The bytes of one file, verified. Raises KeyError and DamagedError as `LocalStore.read` does."""
        copy = self._of_copy(key, lambda: self.copies.read(key, name))
        if copy is not None:
            return copy
        manifest = manifest or self.manifest(key)
        data = self._bytes(key, manifest.files[name])
        if data is not None:
            return data
        latest = self._asked(key)
        if latest == manifest:
            raise self._damaged(key, changed(name))
        return self.read(key, name, latest)  # another machine has made it again

    def fetch(self, key: str) -> Path:
        """The directory of the local copy, every file verified. Raises KeyError and DamagedError as `manifest` does."""
        folder = self._of_copy(key, lambda: self.copies.fetch(key))
        if folder is None:
            with self.scratch() as out:
                manifest = self._download(key, out)
                self.copies.put(key, manifest.preimage, out, manifest.made)
            folder = layout.sharded(self.root, layout.OBJECTS, key)
        return folder

    def extract(self, key: str, folder: Path) -> Manifest:
        """Copy the files of an artefact to a directory, verified. Raises KeyError and DamagedError."""
        copy = self._of_copy(key, lambda: self.copies.extract(key, folder))
        return copy if copy is not None else self._download(key, folder)

    def check(self, key: str) -> None:
        """Check every byte in the bucket, and of the local copy. Raises KeyError and DamagedError."""
        with self.scratch() as out:
            self._download(key, out)
        self._of_copy(key, lambda: self.copies.fetch(key))

    def preimage(self, key: str) -> str:
        """The pre-image of an artefact; empty if it cannot be read."""
        try:
            return self.manifest(key).preimage
        except (KeyError, DamagedError):
            return ""

    def _of_copy(self, key: str, read: Callable[[], T]) -> T | None:
        """What is read of the local copy; None if there is none, or a damaged one, which is set aside."""
        if key in self._unusable or not self.copies.has(key):
            return None
        try:
            return read()
        except KeyError:
            return None
        except DamagedError as error:
            _log.warning("the local copy of %s; it is fetched again", error)
            return None

    def _known(self, key: str) -> Manifest:
        """The manifest as it was read before, else as it is."""
        kept = self.peeked.read(key, layout.MANIFEST)
        if kept is not None:
            with contextlib.suppress(DamagedError):
                return _safe(decode(kept, key))
        return self._asked(key)

    def _asked(self, key: str) -> Manifest:
        """The manifest in the bucket, verified and kept. Raises KeyError and DamagedError as `manifest` does."""
        if key in self._unusable or (self._lists and not self.has(key)):
            raise KeyError(key)
        data = self.objects.read(layout.manifest_object(key))
        if data is None:
            raise KeyError(key)
        try:
            manifest = _safe(decode(data, key))
        except DamagedError as error:
            raise self._damaged(key, error.why) from error
        self.peeked.keep(key, layout.MANIFEST, data)
        return manifest

    def _bytes(self, key: str, stated: str) -> bytes | None:
        """The file of an artefact with this digest, kept from now on; None if the bucket does not have it so."""
        kept = self.peeked.read(key, stated)
        if kept is not None and hashlib.sha256(kept).hexdigest() == stated:
            return kept
        data = self.objects.read(layout.file_object(key, stated))
        if data is None or hashlib.sha256(data).hexdigest() != stated:
            return None
        self.peeked.keep(key, stated, data)
        return data

    def _download(self, key: str, folder: Path) -> Manifest:
        """Copy every file from the bucket, verified."""
        manifest = self._asked(key)
        for name, stated in manifest.files.items():
            if self._copied(layout.file_object(key, stated), folder / name) != stated:
                raise self._damaged(key, changed(name))
        return manifest

    def _copied(self, name: str, path: Path) -> str | None:
        """The digest of an object's content, which is written to a file; None if there is no such object."""
        sha256 = hashlib.sha256()
        try:
            with self._guarded("written"), path.open("wb") as file:
                for chunk in self.objects.chunks(name):
                    sha256.update(chunk)
                    file.write(chunk)
        except KeyError:
            return None
        return sha256.hexdigest()

    def _damaged(self, key: str, why: str) -> DamagedError:
        """The error for a damaged artefact, after it was set aside in the bucket; if it cannot be, it is not used."""
        aside = f"{layout.ASIDE}/{key[:16]}-{secrets.token_hex(6)}"
        kept = None
        try:
            self.objects.write(f"{aside}/why.txt", why.encode() + b"\n")
            self.objects.move(layout.manifest_object(key), f"{aside}/{layout.MANIFEST}")
            for name in list(self.objects.names(layout.file_object(key))):
                self.objects.move(name, f"{aside}/{Path(name).name}")
        except StoreError as error:
            kept = error.message
            self._unusable.add(key)
        self._forget(key)
        return DamagedError(key, why, kept)

    def _forget(self, key: str) -> None:
        self.peeked.forget(key)
        self._listed.get(layout.MANIFESTS, set()).discard(key)

    # ---- writing ---------------------------------------------------------------------------------

    def make_way(self, key: str) -> None:
        """Set aside or remove what is in the way of the local copy and of the snapshots."""
        self.copies.make_way(key)

    def put(self, key: str, preimage: str, built: Path, made: Made) -> None:
        """Send a directory as the artefact of `key`, its manifest last, and keep it as the local copy."""
        with self._guarded("written"):
            manifest = complete(key, preimage, built, made)
        if self._send(manifest, built):
            self.copies.enter(key, built)

    def receive(self, source: LocalStore, key: str) -> Manifest:
        """Send an artefact of another store. Raises KeyError and DamagedError for one that it does not have sound."""
        with self.scratch() as out:
            manifest = source.extract(key, out)
            self._send(manifest, out)
        return manifest

    def _send(self, manifest: Manifest, folder: Path) -> bool:
        """Send the files, and then the manifest if there is none. Returns whether it is this one."""
        self.create()
        name = layout.manifest_object(manifest.key)
        if self.objects.exists(name):
            return False
        for file, stated in manifest.files.items():
            self.objects.write(layout.file_object(manifest.key, stated), folder / file)
        first = self.objects.create(name, encode(manifest))
        if layout.MANIFESTS in self._listed:
            self._listed[layout.MANIFESTS].add(manifest.key)
        return first

    def delete(self, key: str) -> None:
        """Remove an artefact, the manifest first, and its local copy. Copies on other machines stay."""
        self.objects.delete(layout.manifest_object(key))
        for name in list(self.objects.names(layout.file_object(key))):
            self.objects.delete(name)
        self._forget(key)
        self.copies.delete(key)


def _safe(manifest: Manifest) -> Manifest:
    """Raises DamagedError for names and digests that could lead out of a directory: anybody may write to a bucket."""
    names = all(_NAME.fullmatch(name) and name != layout.MANIFEST for name in manifest.files)
    if not names or not all(_DIGEST.fullmatch(stated) for stated in manifest.files.values()):
        raise DamagedError(manifest.key, "its manifest is not one that prunectl writes")
    return manifest
