"""Artefacts in one tar file, to carry them to another machine. It has the layout of a store: unpacked, it is one.

    prunectl-store.json            as in a store
    prunectl-archive.json          the keys of the artefacts that follow
    objects/ab/abcd.../FILE        every file of each artefact, the manifest first

An archive is verified completely before any of it enters the store: one that is damaged, cut short or holds other
files is refused as a whole. Verification shows that the artefacts are what their manifests describe, not that they were
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

from prunectl.base.errors import PrunectlError
from prunectl.store import layout
from prunectl.store.atomic import opened
from prunectl.store.disk import store_error
from prunectl.store.local import LocalStore
from prunectl.store.output import output

CONTENTS = "prunectl-archive.json"
SUFFIXES = (".tar", ".tar.gz", ".tgz")


def check_suffix(path: Path) -> None:
    """Raises PrunectlError unless the name ends as an archive's does."""
    if not path.name.endswith(SUFFIXES):
        raise PrunectlError(f"{path} does not end in {', '.join(SUFFIXES)}")


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
