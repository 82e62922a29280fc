"""Files that a user asks for, outside the store: tables, pages, archives, networks. They are written whole, too."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from prunectl.base.errors import writing
from prunectl.store.atomic import sweep_drafts, whole

_DESCRIPTOR = re.compile(r"/(?:dev|proc/(?:self|\d+))/fd/(\d+)")
_MOST_LINKS = 8


def write_output(path: Path, data: bytes, *, new: bool = False, hint: str | None = None) -> None:
    """Replace a file in one move. Raises PrunectlError, with the hint, if it cannot be written."""
    with output(path, new=new, hint=hint) as file:
        file.write(data)


@contextlib.contextmanager
def output(path: Path, *, new: bool = False, hint: str | None = None) -> Iterator[BinaryIO]:
    """A file to write to. It replaces the one at `path` when all of it is on the disk, and keeps its permissions.

    A link stays a link: its target is replaced. What is not a regular file (/dev/stdout, a FIFO) is written to as it
    is. Drafts that killed processes have left of the same file are removed. With `new`, nothing is ever replaced.
    Raises PrunectlError, with the hint, if the file cannot be written.
    """
    with writing(path, hint=hint):
        handle = _descriptor(path)
        target = Path(os.path.realpath(path))
        if handle is not None:
            sys.stdout.flush()
            with os.fdopen(os.dup(handle), "wb") as file:
                yield file
        elif _special(target):
            with target.open("wb") as file:
                yield file
        else:
            sweep_drafts(target.parent, target.name)
            with whole(target, new=new, mode=_permissions(target)) as draft:
                yield draft


def _descriptor(path: Path) -> int | None:
    """The number of the open file that a path like /dev/stdout means: others may be writing to it as well."""
    name = os.path.abspath(path)  # noqa: PTH100  # `resolve` would follow the link to its end
    for _ in range(_MOST_LINKS):
        if match := _DESCRIPTOR.fullmatch(name):
            return int(match[1])
        if not os.path.islink(name):  # noqa: PTH114
            return None
        name = os.path.normpath(os.path.join(os.path.dirname(name), os.readlink(name)))  # noqa: PTH115, PTH118, PTH120
    return None


def _special(target: Path) -> bool:
    """Whether there is something that is not a regular file. Raises IsADirectoryError for a directory."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    return target.exists() and not target.is_file()


def _permissions(target: Path) -> int | None:
    """Those of the file that is replaced. Raises PermissionError for one that may not be written."""
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return None
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    return mode
