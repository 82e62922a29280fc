"""Artefacts as one tar file, to carry them to another machine: laid out as a store is, so that unpacked it is one.

    prunectl-store.json            as in a store
    prunectl-archive.json          the keys of the artefacts that follow
    objects/ab/abcd.../FILE        every file of each of them, the manifest first

What is read back is verified to the last byte before anything of it is in the store: an archive that is damaged,
cut short, or holds something else is refused as a whole. That its artefacts are what their manifests say does not
mean that whoever made it has trained honestly: take archives from people whom you believe.
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

from prunectl.base.errors import PrunectlError, writing
from prunectl.store import layout
from prunectl.store.atomic import store_error
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import decode

if TYPE_CHECKING:
    from prunectl.store.manifest import Manifest

CONTENTS = "prunectl-archive.json"
SUFFIXES = (".tar", ".tar.gz", ".tgz")
FILE = re.compile(rf"{layout.OBJECTS}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})/([A-Za-z0-9_][A-Za-z0-9._-]{{0,99}})")
BLOCK = 1 << 20
LARGEST_TEXT = 64 << 20
"""Bytes of a manifest or of the list of keys; what is larger was not written here."""


class ArchiveError(PrunectlError):
    """A file that is no archive of artefacts, or not a sound one. Nothing of it was taken."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} is not taken in: {why}", hint="write it again with `prunectl cache export`, and copy all of it"
        )


def check_suffix(path: Path) -> None:
    """Raises PrunectlError unless the name says which archive it is."""
    if not path.name.endswith(SUFFIXES):
        raise PrunectlError(f"{path} does not end in {', '.join(SUFFIXES)}")


# ---- out ---------------------------------------------------------------------------------------------


def write(path: Path, store: LocalStore, keys: Iterable[str]) -> None:
    """The artefacts of the keys in an archive; the same artefacts give the same file to the byte.

    It is written beside and renamed: there is never half of it. Raises PrunectlError where it cannot be written.
    """
    keys = sorted(keys)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with writing(path):
            with draft.open("wb") as file, _packing(file, path) as archive:
                _add_text(archive, layout.MARKER, {"layout": layout.LAYOUT})
                _add_text(archive, CONTENTS, {"layout": layout.LAYOUT, "artefacts": keys})
                for key in keys:
                    home = layout.sharded(store.root, layout.OBJECTS, key)
                    names = [layout.MANIFEST, *sorted(store.manifest(key).files)]
                    for name in names:
                        with (home / name).open("rb") as content:
                            member = _member(f"{layout.OBJECTS}/{key[:2]}/{key}/{name}", (home / name).stat().st_size)
                            archive.addfile(member, content)
            draft.replace(path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _packing(file: IO[bytes], path: Path) -> Iterator[tarfile.TarFile]:
    with contextlib.ExitStack() as stack:
        out: IO[bytes] | gzip.GzipFile = file
        if not path.name.endswith(".tar"):
            # Weights hardly shrink; the fastest level takes what there is. No time and no name in the header.
            out = stack.enter_context(gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0))
        yield stack.enter_context(tarfile.open(mode="w|", fileobj=out, format=tarfile.USTAR_FORMAT))


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    """Without owner and time, which are nobody's business."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size_bytes, 0o444
    return member


def _add_text(archive: tarfile.TarFile, name: str, value: object) -> None:
    data = json.dumps(value).encode() + b"\n"
    archive.addfile(_member(name, len(data)), io.BytesIO(data))


# ---- in ----------------------------------------------------------------------------------------------


@dataclass
class _Found:
    """What an archive holds of one artefact."""

    manifest: bytes = b""
    digests: dict[str, str] = field(default_factory=dict)


def read(path: Path, store: LocalStore) -> tuple[list[str], list[str]]:
    """Take the artefacts of an archive in: the keys that are new, and those that were there already.

    Raises ArchiveError, and takes nothing, unless all of it is sound.
    """
    with store.scratch() as room:
        found = _unpack(path, store, room)
        manifests = {key: _verified(path, key, one) for key, one in found.items()}
        new = {key for key in manifests if (room / key).exists()}
        for key in new:
            store.put(key, manifests[key].preimage, room / key, manifests[key].made)
    return sorted(new), sorted(set(manifests) - new)


def _unpack(path: Path, store: LocalStore, room: Path) -> dict[str, _Found]:
    """Every member read once; the files of artefacts that are not in the store are written to the room."""
    listed: list[str] | None = None
    found: dict[str, _Found] = {}
    try:
        with path.open("rb") as file, tarfile.open(mode="r|*", fileobj=file) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    raise ArchiveError(path, f"{member.name[:200]!r} in it is not a plain file")
                if member.name == layout.MARKER:
                    _known(path, _text(path, member, content))
                elif member.name == CONTENTS:
                    listed = _keys(path, _text(path, member, content))
                else:
                    _take(path, store, room, member, content, found)
            if listed is None:
                raise ArchiveError(path, "it was not written by `prunectl cache export`")
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise ArchiveError(path, "it is damaged: it cannot be unpacked") from error
        if error.filename is None or str(error.filename) != str(path):
            raise store_error(error, store.root) from error
        raise PrunectlError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        cut = "unexpected end" in str(error) or isinstance(error, EOFError)
        why = "it ends too early" if cut else "it is damaged, or not a tar archive"
        raise ArchiveError(path, why) from error
    if missing := [key for key in listed if key not in found]:
        raise ArchiveError(path, f"it ends too early: {len(missing)} of {len(listed)} artefacts are not there")
    if foreign := [key for key in found if key not in listed]:
        raise ArchiveError(path, f"it holds artefact {foreign[0][:12]}, which its list does not name")
    return found


def _take(
    path: Path, store: LocalStore, room: Path, member: tarfile.TarInfo, content: IO[bytes], found: dict[str, _Found]
) -> None:
    """One file of an artefact: its digest, and the file itself if it is wanted."""
    match = FILE.fullmatch(member.name)
    if match is None:
        raise ArchiveError(path, f"{member.name[:200]!r} in it is not a file of an artefact")
    key, name = match[2], match[3]
    if key not in found and not store.has(key):
        (room / key).mkdir()
    one = found.setdefault(key, _Found())
    if name in one.digests or (name == layout.MANIFEST and one.manifest):
        raise ArchiveError(path, f"{member.name!r} is in it twice")
    if name == layout.MANIFEST:
        one.manifest = _text(path, member, content)
        return
    digest = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        wanted = (room / key).exists()
        out = stack.enter_context((room / key / name).open("xb")) if wanted else None
        while block := content.read(BLOCK):
            digest.update(block)
            if out is not None:
                out.write(block)
    one.digests[name] = digest.hexdigest()


def _verified(path: Path, key: str, one: _Found) -> Manifest:
    """The manifest, if every file is there as it says, and its pre-image gives the key."""
    try:
        manifest = decode(one.manifest, key)
    except DamagedError as error:
        raise ArchiveError(path, f"{error}") from error
    for name, stated in manifest.files.items():
        if one.digests.get(name) != stated:
            why = f"{name} is not what was written" if name in one.digests else f"{name} is not there"
            raise ArchiveError(path, f"artefact {key[:12]} is damaged: {why}")
    if extra := set(one.digests) - set(manifest.files):
        raise ArchiveError(path, f"artefact {key[:12]} is damaged: its manifest does not know {min(extra)}")
    return manifest


def _text(path: Path, member: tarfile.TarInfo, content: IO[bytes]) -> bytes:
    if member.size > LARGEST_TEXT:
        raise ArchiveError(path, f"{member.name!r} in it is larger than it can be")
    return content.read()


def _known(path: Path, data: bytes) -> None:
    try:
        found = json.loads(data)["layout"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArchiveError(path, f"its {layout.MARKER} is damaged") from error
    if found != layout.LAYOUT:
        raise ArchiveError(path, "it has a layout that this prunectl does not know")


def _keys(path: Path, data: bytes) -> list[str]:
    _known(path, data)
    found = json.loads(data).get("artefacts")
    if not isinstance(found, list) or not all(isinstance(key, str) for key in found):
        raise ArchiveError(path, f"its {CONTENTS} is damaged")
    return found
