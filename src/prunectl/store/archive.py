"""Artefacts in one tar file, to carry them to another machine. It has the layout of a store: unpacked, it is one.

    prunectl-store.json            as in a store
    prunectl-archive.json          the keys of the artefacts that follow
    objects/ab/abcd.../FILE        every file of each artefact, the manifest first

An archive is verified completely before any of it enters the store: one that is damaged, cut short or holds other
files is refused as a whole. Verification shows that the artefacts are what their manifests say, not that they were
trained honestly: import archives only from people you trust.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from prunectl.base.errors import PrunectlError
from prunectl.store import layout
from prunectl.store.atomic import opened
from prunectl.store.disk import store_error
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import decode
from prunectl.store.output import output

if TYPE_CHECKING:
    from prunectl.store.manifest import Manifest

CONTENTS = "prunectl-archive.json"
SUFFIXES = (".tar", ".tar.gz", ".tgz")
FILE = re.compile(rf"{layout.OBJECTS}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})/([A-Za-z0-9_][A-Za-z0-9._-]{{0,99}})")
BLOCK = 1 << 20
LARGEST_TEXT = 64 << 20
"""The most bytes that are read for a manifest or a list of keys; prunectl writes none that is larger."""


class ArchiveError(PrunectlError):
    """A file that is not an archive of artefacts, or a damaged one. Nothing of it was imported."""

    def __init__(self, path: Path, why: str) -> None:
        hint = "export it again with `prunectl cache export`, and copy the whole file"
        super().__init__(f"{path} was not imported: {why}", hint=hint)


def check_suffix(path: Path) -> None:
    """Raises PrunectlError unless the name ends as an archive's does."""
    if not path.name.endswith(SUFFIXES):
        raise PrunectlError(f"{path} does not end in {', '.join(SUFFIXES)}")


# ---- export ------------------------------------------------------------------------------------------


def write(path: Path, store: LocalStore, keys: Iterable[str]) -> None:
    """Write the artefacts of the keys as an archive. The same artefacts give the same bytes.

    It is complete or absent. Raises PrunectlError if it cannot be written.
    """
    keys = sorted(keys)
    with output(path) as file, _packing(file, path) as archive:
        _add_text(archive, layout.MARKER, {"layout": layout.LAYOUT})
        _add_text(archive, CONTENTS, {"layout": layout.LAYOUT, "artefacts": keys})
        for key in keys:
            for name in [layout.MANIFEST, *sorted(store.manifest(key).files)]:
                _add_file(archive, store, key, name)


@contextlib.contextmanager
def _packing(file: IO[bytes], path: Path) -> Iterator[tarfile.TarFile]:
    with contextlib.ExitStack() as stack:
        out: IO[bytes] | gzip.GzipFile = file
        if not path.name.endswith(".tar"):
            # Weights hardly compress, so the fastest level is enough. No time and no name in the header: same bytes.
            out = stack.enter_context(gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0))
        yield stack.enter_context(tarfile.open(mode="w|", fileobj=out, format=tarfile.USTAR_FORMAT))


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    """The header of one file, without its owner and time: the archive is the same whoever writes it."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size_bytes, 0o444
    return member


def _add_file(archive: tarfile.TarFile, store: LocalStore, key: str, name: str) -> None:
    with contextlib.ExitStack() as stack:
        try:
            content = stack.enter_context(opened(layout.sharded(store.root, layout.OBJECTS, key) / name))
            size_bytes = os.fstat(content.fileno()).st_size
        except OSError as error:
            raise store_error(error, store.root, "read") from error
        archive.addfile(_member(f"{layout.OBJECTS}/{key[:2]}/{key}/{name}", size_bytes), content)


def _add_text(archive: tarfile.TarFile, name: str, value: object) -> None:
    data = json.dumps(value).encode() + b"\n"
    archive.addfile(_member(name, len(data)), io.BytesIO(data))


# ---- import ------------------------------------------------------------------------------------------


@dataclass
class _Received:
    """What an archive holds of one artefact."""

    manifest: bytes = b""
    digests: dict[str, str] = field(default_factory=dict)


def read(path: Path, store: LocalStore) -> tuple[list[str], list[str]]:
    """Import the artefacts of an archive. Returns the keys that are new, and those that the store already had.

    Raises ArchiveError, and imports nothing, unless the whole archive is sound.
    """
    with store.scratch() as folder:
        reading = _Reading(path=path, store=store, folder=folder)
        reading.unpack()
        manifests = {key: reading.verified(key) for key in reading.received}
        new = {key for key in manifests if (folder / key).exists()}
        for key in new:
            store.put(key, manifests[key].preimage, folder / key, manifests[key].made)
    return sorted(new), sorted(set(manifests) - new)


@dataclass(kw_only=True)
class _Reading:
    """One import: files of artefacts that the store does not have are written to the folder."""

    path: Path
    store: LocalStore
    folder: Path
    listed: list[str] | None = None
    received: dict[str, _Received] = field(default_factory=dict)

    def refused(self, why: str) -> ArchiveError:
        """The error for this archive."""
        return ArchiveError(self.path, why)

    def unpack(self) -> None:
        """Read every member once. Raises ArchiveError unless the archive is complete and holds nothing else."""
        try:
            with self.path.open("rb") as file, tarfile.open(mode="r|*", fileobj=file) as archive:
                for member in archive:
                    self._receive(member, archive.extractfile(member) if member.isreg() else None)
        except OSError as error:
            raise self._failed(error) from error
        except (tarfile.TarError, EOFError, zlib.error) as error:
            cut = "unexpected end" in str(error) or isinstance(error, EOFError)
            raise self.refused("it ends too early" if cut else "it is damaged, or not a tar archive") from error
        if self.listed is None:
            raise self.refused("it was not written by `prunectl cache export`")
        if missing := [key for key in self.listed if key not in self.received]:
            raise self.refused(f"it ends too early: {len(missing)} of {len(self.listed)} artefacts are missing")
        if foreign := [key for key in self.received if key not in self.listed]:
            raise self.refused(f"it holds artefact {foreign[0][:12]}, which its list does not name")

    def _failed(self, error: OSError) -> PrunectlError:
        if isinstance(error, gzip.BadGzipFile):
            return self.refused("it is damaged: it cannot be unpacked")
        if error.filename is None or str(error.filename) != str(self.path):
            return store_error(error, self.store.root)
        return PrunectlError(f"{self.path} cannot be read: {error.strerror or error}")

    def _receive(self, member: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        if content is None:
            raise self.refused(f"{member.name[:200]!r} in it is not a plain file")
        if member.name == layout.MARKER:
            self._check_layout(self._text(member, content))
        elif member.name == CONTENTS:
            self.listed = self._keys(self._text(member, content))
        else:
            self._receive_file(member, content)

    def _receive_file(self, member: tarfile.TarInfo, content: IO[bytes]) -> None:
        """One file of an artefact: record its digest, and write it if the store does not have the artefact."""
        match = FILE.fullmatch(member.name)
        if match is None:
            raise self.refused(f"{member.name[:200]!r} in it is not a file of an artefact")
        key, name = match[2], match[3]
        if key not in self.received and not self.store.has(key):
            (self.folder / key).mkdir()
        artefact = self.received.setdefault(key, _Received())
        if name in artefact.digests or (name == layout.MANIFEST and artefact.manifest):
            raise self.refused(f"{member.name!r} is in it twice")
        if name == layout.MANIFEST:
            artefact.manifest = self._text(member, content)
        else:
            wanted = (self.folder / key).exists()
            artefact.digests[name] = _copied(content, self.folder / key / name if wanted else None)

    def verified(self, key: str) -> Manifest:
        """The manifest, if every file is as it states and its pre-image gives the key. Else raises ArchiveError."""
        artefact = self.received[key]
        try:
            manifest = decode(artefact.manifest, key)
        except DamagedError as error:
            raise self.refused(f"{error}") from error
        for name, stated in manifest.files.items():
            if artefact.digests.get(name) != stated:
                why = f"{name} is not what was written" if name in artefact.digests else f"{name} is missing"
                raise self.refused(f"artefact {key[:12]} is damaged: {why}")
        if extra := set(artefact.digests) - set(manifest.files):
            raise self.refused(f"artefact {key[:12]} is damaged: its manifest does not list {min(extra)}")
        return manifest

    def _text(self, member: tarfile.TarInfo, content: IO[bytes]) -> bytes:
        if member.size > LARGEST_TEXT:
            raise self.refused(f"{member.name!r} in it is too large")
        return content.read()

    def _check_layout(self, data: bytes) -> None:
        try:
            version = json.loads(data)["layout"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self.refused(f"its {layout.MARKER} is damaged") from error
        if version != layout.LAYOUT:
            raise self.refused("it has a layout that this version of prunectl does not know")

    def _keys(self, data: bytes) -> list[str]:
        self._check_layout(data)
        keys = json.loads(data).get("artefacts")
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise self.refused(f"its {CONTENTS} is damaged")
        return keys


def _copied(content: IO[bytes], path: Path | None) -> str:
    """The SHA-256 of a file's content, which is also written to `path` if there is one."""
    digest = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(path.open("xb")) if path is not None else None
        while block := content.read(BLOCK):
            digest.update(block)
            if out is not None:
                out.write(block)
    return digest.hexdigest()
