"""The lock of a step in a directory that several machines may share.

On one machine the system's file lock decides: it is freed with its process. Network file systems do not always pass
locks on to other machines, and some keep those of a machine that is gone; so there is a claim next to each lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import filelock

from prunectl.store import layout
from prunectl.store.claims import Claims, owner_of

NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}
"""What a file system reports that has no locks: claims have to do."""


class HeldError(filelock.Timeout):
    """Another process makes a step. `alive`: it is known to live, so nobody will have to take the step over."""

    def __init__(self, lock_file: str, *, alive: bool = False) -> None:
        super().__init__(lock_file)
        self.alive = alive


class DirectoryClaims(Claims):
    """The claims of this machine in a directory. One that was started again since, or is a container, is the same."""

    def ours(self, owner: str) -> bool:
        """Whether an owner has the host name of this machine, or runs on the same kernel."""
        return bool({*owner.split()} & {*self.owner.split()})

    def alone(self) -> DirectoryClaims:
        """The claims of this process only, where no lock keeps others of this machine out."""
        owner = f"{self.owner.replace(' ', '_')}:{os.getpid()}"
        return DirectoryClaims(self.places, owner, self.folder, self.clock, name=self.name)


class ClaimFiles:
    """Claims as files. They are not flushed: after a power cut nobody makes a step any more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, name: str, data: bytes) -> bool:
        """Create a file, in one move. Returns False if it exists. One that cannot be written does not stay."""
        try:
            self._write(name, data, os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        except OSError:
            with contextlib.suppress(OSError):
                self.delete(name)
            raise
        return True

    def read(self, name: str) -> bytes | None:
        """The content; None if there is no such file."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write in place, so that nobody can create it meanwhile; what another user has written is replaced.

        It is shortened last: a process that is killed in between leaves a claim whose first line is whole.
        """
        try:
            self._write(name, content, os.O_CREAT)
        except PermissionError:
            self.delete(name)
            self._write(name, content, os.O_CREAT)

    def delete(self, name: str) -> None:
        """Delete a file; a missing one is no error."""
        (self.folder / name).unlink(missing_ok=True)

    def _write(self, name: str, data: bytes, flags: int) -> None:
        handle = os.open(self.folder / name, os.O_WRONLY | flags, 0o666)
        try:
            os.write(handle, data)
            os.ftruncate(handle, len(data))
        finally:
            os.close(handle)


@cache
def machine() -> str:
    """This machine, as the owner of claims: its host name, and what its kernel calls the time since it was started."""
    with contextlib.suppress(OSError):
        return f"{platform.node()} {Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    return platform.node()


def claims_in(folder: Path) -> DirectoryClaims:
    """The claims of this machine in the folder of locks."""
    return DirectoryClaims(ClaimFiles(folder), machine(), folder, name=layout.claim_file)


@contextlib.contextmanager
def locked(path: Path, key: str, claims: DirectoryClaims) -> Iterator[None]:
    """Hold the lock of a step, and its claim. Raises HeldError if another process, or machine, makes it."""
    lock = filelock.FileLock(path, blocking=False, fallback_to_soft=False)
    try:
        if not _acquired(lock, path, key, claims):
            claims = claims.alone()
        with claims.held(key) as mine:
            if not mine:
                raise HeldError(str(path), alive=claims.alive(key))
            yield
    finally:
        with contextlib.suppress(OSError):
            lock.release()


def _acquired(lock: filelock.BaseFileLock, path: Path, key: str, claims: Claims) -> bool:
    """Lock a file; False if the file system has no locks. That of a machine whose claim has expired is replaced."""
    try:
        lock.acquire()
    except filelock.Timeout:
        claim = claims.places.read(claims.name(key)) or b""
        here = claims.ours(owner_of(claim))  # then the system would have freed the lock of a process that is gone
        if here or not claims.expired(key, claim):
            raise HeldError(str(path), alive=here or claims.alive(key)) from None
        path.unlink(missing_ok=True)
        lock.acquire()
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return False
    return True
