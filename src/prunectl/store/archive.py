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
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from prunectl.base.errors import PrunectlError, writing
from prunectl.store import layout
from prunectl.store.local import LocalStore

CONTENTS = "prunectl-archive.json"
SUFFIXES = (".tar", ".tar.gz", ".tgz")


def check_suffix(path: Path) -> None:
    """Raises PrunectlError unless the name ends as an archive's does."""
    if not path.name.endswith(SUFFIXES):
        raise PrunectlError(f"{path} does not end in {', '.join(SUFFIXES)}")


def write(path: Path, store: LocalStore, keys: Iterable[str]) -> None:
    """Write the artefacts of the keys as an archive. The same artefacts give the same bytes.

    It is written under a temporary name and renamed, so that it is complete or absent. Raises PrunectlError if it
    cannot be written.
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
            # Weights hardly compress, so the fastest level is enough. No time and no name in the header: same bytes.
            out = stack.enter_context(gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0))
        yield stack.enter_context(tarfile.open(mode="w|", fileobj=out, format=tarfile.USTAR_FORMAT))


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    """The header of one file, without its owner and time: the archive is the same whoever writes it."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size_bytes, 0o444
    return member


def _add_text(archive: tarfile.TarFile, name: str, value: object) -> None:
    data = json.dumps(value).encode() + b"\n"
    archive.addfile(_member(name, len(data)), io.BytesIO(data))
