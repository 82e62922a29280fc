"""Files that are whole: a crash at any moment leaves the old content or the new, never half of either.

What is read is a regular file of a sensible size, or an OSError: a FIFO in its place would block for ever.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

ODD = {errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG, errno.EFBIG}
"""What the system reports if something of another kind is in the place of a file."""
LARGEST_DOCUMENT = 64 << 20
"""The most bytes that are read of a JSON file; prunectl writes none that is larger."""

_SHORT = 50  # characters of a file's name in the name of its draft: 255 bytes are the most that a name may have
DRAFT = re.compile(r"\..+\.\d+-[0-9a-f]{8}")
"""The name of a draft: '.NAME.PID-RANDOM'."""


# ---- reading -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A regular file, to be read. Raises OSError, with an errno of ODD for anything that is not a regular file."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EISDIR, "Not a regular file", str(path))
    except OSError:
        os.close(handle)
        raise
    with os.fdopen(handle, "rb") as file:
        yield file


def read_file(path: Path) -> bytes:
    """The bytes of a regular file, of any size. Raises OSError as `opened` does."""
    with opened(path) as file:
        return file.read()


def read_document(path: Path) -> bytes:
    """The bytes of a regular file that is small. Raises OSError as `opened` does, with EFBIG for one that is not."""
    with opened(path) as file:
        data = file.read(LARGEST_DOCUMENT + 1)
    if len(data) > LARGEST_DOCUMENT:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return data


def sha256(path: Path) -> str:
    """The digest of a regular file's bytes, in hex. Raises OSError as `opened` does."""
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- writing -----------------------------------------------------------------------------------------


def sync(path: Path) -> None:
    """Flush a file to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_directory(path: Path) -> None:
    """Flush the entries of a directory to the disk, unless its file system or its permissions do not allow that."""
    try:
        sync(path)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
            raise


def make_directory(path: Path) -> None:
    """Create a directory and its parents, each flushed to the disk: a power cut loses none with what it holds.

    Raises NotADirectoryError for a file in the place of one of them.
    """
    if path.is_dir():
        return
    make_directory(path.parent)
    try:
        path.mkdir(exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None
    sync_directory(path.parent)


def new_directory(parent: Path, prefix: str = "") -> Path:
    """A new, empty directory with a random name and, unlike those of `tempfile`, the permissions of the umask."""
    while True:
        path = parent / (prefix + secrets.token_hex(6))
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path


@contextlib.contextmanager
def whole(path: Path, *, new: bool = False, mode: int | None = None) -> Iterator[BinaryIO]:
    """A draft to write to. It replaces the file in one move once it is on the disk; on any error it is removed.

    With `new`, raises FileExistsError if there is a file. `mode` are its permissions, by default those of the umask.
    """
    draft, file = _draft(path)
    try:
        with file:  # until it is renamed it is locked, so that no sweep removes it
            yield file
            file.flush()
            if mode is not None:
                draft.chmod(mode)
            os.fsync(file.fileno())
            if new:
                os.link(draft, path)
                draft.unlink()
            else:
                draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    sync_directory(path.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file atomically: a reader sees the old content or the new."""
    with whole(path) as file:
        file.write(data)


def _draft(path: Path) -> tuple[Path, BinaryIO]:
    """A new, locked file next to `path`. No two processes or threads share one."""
    while True:
        draft = path.with_name(f".{path.name[:_SHORT]}.{os.getpid()}-{secrets.token_hex(4)}")
        file = os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb")
        _lock(file.fileno())
        if os.fstat(file.fileno()).st_nlink:
            return draft, file
        file.close()  # a sweep took it for one that nobody writes


# ---- removing ----------------------------------------------------------------------------------------


def remove_tree(path: Path) -> None:
    """Delete a directory with its content, read-only files included, or a file in its place.

    A missing one is no error, and what cannot be removed stays.
    """
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def sweep_drafts(folder: Path, name: str = "", *, pattern: re.Pattern[str] = DRAFT, older_than_s: float = 0.0) -> None:
    """Remove the drafts of a file, or of every file of a folder, whose writers are dead: nobody locks these."""
    prefix = f".{name[:_SHORT]}." if name else "."
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.name.startswith(prefix) and pattern.fullmatch(path.name):
                _remove_left(path, older_than_s)


def _remove_left(draft: Path, older_than_s: float) -> None:
    with contextlib.suppress(OSError):  # in use, or another process has removed it
        if time.time() - draft.lstat().st_mtime >= older_than_s:
            handle = os.open(draft, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                if _lock(handle, wait=False):
                    draft.unlink()
            finally:
                os.close(handle)


if sys.platform == "win32":  # where an open file cannot be removed: drafts need no lock, and none is swept

    def _lock(handle: int, *, wait: bool = True) -> bool:
        return False

else:
    import fcntl

    def _lock(handle: int, *, wait: bool = True) -> bool:
        """Lock an open file until it is closed, and return whether that worked. Not every file system can."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
