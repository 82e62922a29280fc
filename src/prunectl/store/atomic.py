"""Atomic writes: a crash at any moment leaves the old content or the new, never half of either."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

from prunectl.base.errors import StoreError

FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}


def sha256(path: Path) -> str:
    """The digest of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Flush a file, or the entries of a directory, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file atomically: a reader sees the old content or the new."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)


def remove_tree(path: Path) -> None:
    """Delete a directory with its content, read-only files included. A missing directory is no error."""
    shutil.rmtree(path, ignore_errors=True)


def store_error(error: OSError, root: Path) -> StoreError:
    """The message for the user about a failed access to the store."""
    if error.errno in FULL:
        return StoreError(
            f"the disk of the store {root} is full",
            hint="finished steps are kept; free some space (`prunectl cache gc`), then run the same command again",
        )
    if error.errno in FORBIDDEN:
        return StoreError(
            f"the store {root} cannot be written: {error.strerror}",
            hint="choose another with --store DIR or PRUNECTL_STORE",
        )
    return StoreError(f"the store {root} failed: {error}", hint="check the disk, then run the same command again")
