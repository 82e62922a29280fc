"""What the system's errors mean for the store, and whether an exception is one of the store's disk."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from prunectl.base.errors import FULL, StoreError

FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}

_OF_RUST = re.compile(r"\(os error (?P<number>\d+)\)(?: at path \"(?P<name>.*?)\")?")
"""How libraries in Rust (safetensors, polars) report an error of the system in the text of their own."""
_OF_TORCH = re.compile(r"file <(?P<name>[^>\n]*)>[^\n]*\((?P<number>\d+)\)")
"""How torch does, where it maps or opens a file itself."""


def store_error(error: OSError, root: Path, doing: str = "written") -> StoreError:
    """The message for the user about a failed access to the store: to be "written" or to be "read"."""
    if error.errno in FULL:
        why = "the quota is used up" if error.errno == errno.EDQUOT else "no space or no inodes left"
        return StoreError(
            f"the disk of the store {root} is full: {why}",
            hint="finished steps are kept; free some space (`prunectl cache gc`), then run the same command again",
        )
    if error.errno in FORBIDDEN:
        return StoreError(
            f"the store {root} cannot be {doing}: {error.strerror}{_owner(error, root)}",
            hint="choose another with --store DIR or PRUNECTL_STORE",
        )
    return StoreError(f"the store {root} failed: {error}", hint="check the disk, then run the same command again")


def disk_error(error: BaseException, root: Path) -> StoreError | None:
    """The message about an exception that a step ended with, if the disk of the store is to blame for it.

    An error without a file name is one of an open file. A step writes only to the store, so a full or read-only disk
    is the store's; a disk that cannot be read may be that of the data as well.
    """
    cause: BaseException | None = error
    while cause is not None:
        failed = _of_system(cause)
        if failed is not None and _blames(failed, root):
            if failed.errno == errno.EIO and failed.filename is None:
                hint = "check the disk of the store and that of the data, then run the same command again"
                return StoreError(f"a disk failed: {os.strerror(errno.EIO)} (store {root})", hint=hint)
            return store_error(failed, root)
        cause = cause.__cause__
    return None


def _of_system(error: BaseException) -> OSError | None:
    """The error of the system that an exception is, or that its text reports."""
    if isinstance(error, OSError):
        return error
    match = _OF_RUST.search(str(error)) or _OF_TORCH.search(str(error))
    if match is None:
        return None
    number = int(match["number"])
    return OSError(number, os.strerror(number), match["name"])


def _blames(error: OSError, root: Path) -> bool:
    if error.filename is not None:
        return (error.errno in FULL | FORBIDDEN | {errno.EIO}) and _inside(error, root)
    return error.errno in FULL | {errno.EROFS, errno.EIO}


def _inside(error: OSError, root: Path) -> bool:
    name = error.filename.decode(errors="replace") if isinstance(error.filename, bytes) else str(error.filename)
    top = os.path.abspath(root)  # noqa: PTH100  # not resolved: the names in errors are not either
    return os.path.commonpath([os.path.abspath(name), top]) == top  # noqa: PTH100


def _owner(error: OSError, root: Path) -> str:
    """Whose file or directory is in the way, if it is somebody else's."""
    path = Path(str(error.filename)) if error.filename is not None and _inside(error, root) else root
    try:
        while not os.path.lexists(path) and path != root:
            path = path.parent
        uid = path.lstat().st_uid
    except OSError:
        return ""
    if not hasattr(os, "geteuid") or uid == os.geteuid():
        return ""
    try:
        return f"; {path} belongs to {path.owner()}"
    except (KeyError, OSError):
        return f"; {path} belongs to user {uid}"
