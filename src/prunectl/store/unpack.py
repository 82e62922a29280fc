"""Import the artefacts of an archive (see `archive.py` for its layout): all of it, or nothing.

An archive is read twice: first to verify every byte, without writing any; then to write what the store does not have.
So a file that is damaged, hostile or larger than the disk costs nothing but the time to read it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from prunectl.base.errors import PrunectlError, StoreError
from prunectl.base.text import size
from prunectl.store import layout
from prunectl.store.archive import CONTENTS
from prunectl.store.disk import store_error
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import Manifest, decode

FILE = re.compile(rf"{layout.OBJECTS}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})/([A-Za-z0-9_][A-Za-z0-9._-]{{0,99}})")
BLOCK = 1 << 20
GZIP = b"\x1f\x8b"
LARGEST_MANIFEST, LARGEST_LIST = 1 << 20, 64 << 20
"""The most bytes that are read for a manifest and for the list of keys; prunectl writes none that is larger."""


class ArchiveError(PrunectlError):
    """A file that is not an archive of artefacts, or a damaged one. Nothing of it was imported."""

    def __init__(self, path: Path, why: str) -> None:
        hint = "export it again with `prunectl cache export`, and copy the whole file"
        super().__init__(f"{path} was not imported: {why}", hint=hint)


def read(path: Path, store: LocalStore) -> tuple[list[str], list[str]]:
    """Import the artefacts of an archive. Returns the keys that are new, and those that the store already had.

    Raises ArchiveError, and imports nothing, unless the whole archive is sound; StoreError if it does not fit.
    """
    manifests = _surveyed(path, store)
    new = {key: manifest for key, manifest in manifests.items() if not store.has(key)}
    with store.scratch() as folder:
        _extract(path, store, folder, new)
        for key, manifest in sorted(new.items()):
            store.put(key, manifest.preimage, folder / key, manifest.made)
    return sorted(new), sorted(set(manifests) - set(new))


@dataclass
class _Received:
    """What was read of one artefact."""

    manifest: Manifest
    digests: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Survey:
    """The first reading: nothing is written."""

    path: Path
    store: LocalStore
    free_bytes: int
    new_bytes: int = 0
    listed: frozenset[str] | None = None
    received: dict[str, _Received] = field(default_factory=dict)

    def refused(self, why: str) -> ArchiveError:
        """The error for this archive."""
        return ArchiveError(self.path, why)

    def receive(self, member: tarfile.TarInfo, content: IO[bytes]) -> None:
        """Read one member. Raises ArchiveError for one that does not belong here."""
        if member.name == layout.MARKER:
            self._document(self._text(member, content, LARGEST_MANIFEST), member.name)
        elif member.name == CONTENTS:
            self.listed = self._keys(self._text(member, content, LARGEST_LIST))
        elif (match := FILE.fullmatch(member.name)) is None:
            raise self.refused(f"{member.name[:200]!r} in it is not a file of an artefact")
        elif match[3] == layout.MANIFEST:
            self._receive_manifest(match[2], member, content)
        else:
            self._receive_file(match[2], match[3], member, content)

    def _receive_manifest(self, key: str, member: tarfile.TarInfo, content: IO[bytes]) -> None:
        if self.listed is None or key not in self.listed:
            raise self.refused(f"it holds artefact {key[:12]}, which its list does not name")
        if key in self.received:
            raise self.refused(f"{member.name!r} is in it twice")
        try:
            self.received[key] = _Received(decode(self._text(member, content, LARGEST_MANIFEST), key))
        except DamagedError as error:
            raise self.refused(f"{error}") from error

    def _receive_file(self, key: str, name: str, member: tarfile.TarInfo, content: IO[bytes]) -> None:
        artefact = self.received.get(key)
        if artefact is None:
            raise self.refused(f"artefact {key[:12]} is damaged: {name} comes before its manifest")
        manifest = artefact.manifest
        if name not in manifest.files:
            raise self.refused(f"artefact {key[:12]} is damaged: its manifest does not list {name}")
        if name in artefact.digests:
            raise self.refused(f"{member.name!r} is in it twice")
        self._make_room(key, member.size)
        same_size = manifest.sizes.get(name, member.size) == member.size
        if not same_size or (artefact.digests.setdefault(name, _copied(content, None))) != manifest.files[name]:
            raise self.refused(f"artefact {key[:12]} is damaged: {name} is not what was written")

    def _make_room(self, key: str, size_bytes: int) -> None:
        """Refuse what does not fit, by the size that its header declares: before its content is read."""
        self.new_bytes += 0 if self.store.has(key) else size_bytes
        if self.new_bytes > self.free_bytes:
            raise StoreError(
                f"{self.path} was not imported: it needs {size(self.new_bytes)} or more, and the disk of the store "
                f"{self.store.root} has {size(self.free_bytes)} left",
                hint="free some space (`prunectl cache gc`), or choose another store with --store DIR",
            )

    def complete(self) -> dict[str, Manifest]:
        """The manifests by key, if everything was received that the list and the manifests name."""
        if self.listed is None:
            raise self.refused("it was not written by `prunectl cache export`")
        if missing := self.listed - self.received.keys():
            raise self.refused(f"it ends too early: {len(missing)} of {len(self.listed)} artefacts are missing")
        for key, artefact in self.received.items():
            if absent := artefact.manifest.files.keys() - artefact.digests.keys():
                raise self.refused(f"artefact {key[:12]} is damaged: {min(absent)} is missing")
        return {key: artefact.manifest for key, artefact in self.received.items()}

    def _text(self, member: tarfile.TarInfo, content: IO[bytes], most: int) -> bytes:
        if member.size > most:
            raise self.refused(f"{member.name!r} in it is too large")
        return content.read()

    def _document(self, data: bytes, name: str) -> dict[str, Any]:
        try:
            document: dict[str, Any] = json.loads(data)
            version = document["layout"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self.refused(f"its {name} is damaged") from error
        if version != layout.LAYOUT:
            raise self.refused("it has a layout that this version of prunectl does not know")
        return document

    def _keys(self, data: bytes) -> frozenset[str]:
        keys = self._document(data, CONTENTS).get("artefacts")
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise self.refused(f"its {CONTENTS} is damaged")
        return frozenset(keys)


def _surveyed(path: Path, store: LocalStore) -> dict[str, Manifest]:
    """The manifest of each artefact in an archive, every byte of which was verified."""
    survey = _Survey(path=path, store=store, free_bytes=store.free_bytes)
    with _members(path) as members:
        for member, content in members:
            survey.receive(member, content)
    return survey.complete()


def _extract(path: Path, store: LocalStore, folder: Path, new: dict[str, Manifest]) -> None:
    """Write the files of new artefacts. Raises ArchiveError if the archive has changed since it was surveyed."""
    for key in new:
        (folder / key).mkdir()
    with _members(path) as members:
        for member, content in members:
            match = FILE.fullmatch(member.name)
            if match is None or match[2] not in new or match[3] == layout.MANIFEST:
                continue
            try:
                written = _copied(content, folder / match[2] / match[3])
            except OSError as error:
                raise store_error(error, store.root) from error
            if written != new[match[2]].files.get(match[3]):
                raise ArchiveError(path, "it changed while it was read")


class _OddMemberError(Exception):
    """A member that is not a plain file: a link, a device, a sparse file, an extended header."""


class _Plain(tarfile.TarInfo):
    """A header that is accepted only if it is that of a plain file, before anything else of it is looked at."""

    @classmethod
    def frombuf(cls, *header: Any) -> tarfile.TarInfo:  # type: ignore[override]
        member = super().frombuf(*header)
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.size < 0:
            raise _OddMemberError(member.name)
        return member


@contextmanager
def _members(path: Path) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    """Every member with its content. Raises ArchiveError for a file that is not an archive, or ends too early."""
    try:
        with path.open("rb") as file:
            packed = file.read(len(GZIP)) == GZIP
            file.seek(0)
            opened = gzip.GzipFile(fileobj=file) if packed else nullcontext(file)
            with opened as plain, tarfile.open(mode="r|", fileobj=plain, tarinfo=_Plain) as archive:
                yield ((member, content) for member in archive if (content := archive.extractfile(member)))
    except _OddMemberError as error:
        raise ArchiveError(path, f"{str(error)[:200]!r} in it is not a plain file") from error
    except gzip.BadGzipFile as error:
        raise ArchiveError(path, "it is damaged: it cannot be unpacked") from error
    except OSError as error:
        raise PrunectlError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        cut = "unexpected end" in str(error) or isinstance(error, EOFError)
        raise ArchiveError(path, "it ends too early" if cut else "it is damaged, or not a tar archive") from error


def _copied(content: IO[bytes], path: Path | None) -> str:
    """The SHA-256 of a file's content, which is also written to `path` if there is one."""
    digest = hashlib.sha256()
    with nullcontext() if path is None else path.open("xb") as out:
        while block := content.read(BLOCK):
            digest.update(block)
            if out is not None:
                out.write(block)
    return digest.hexdigest()
