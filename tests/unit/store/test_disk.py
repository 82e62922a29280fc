"""What the errors of the system mean for the user, and which of them are the store's."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from prunectl.store.disk import disk_error, store_error

ROOT = Path("/s")


def failing(number: int, name: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), name)


@pytest.mark.parametrize(
    ("number", "message", "hint"),
    [
        (errno.ENOSPC, "the disk of the store /s is full: no space or no inodes left", "prunectl cache gc"),
        (errno.EDQUOT, "the disk of the store /s is full: the quota is used up", "prunectl cache gc"),
        (errno.EROFS, "the store /s cannot be written: Read-only file system", "--store DIR"),
        (errno.EACCES, "the store /s cannot be written: Permission denied", "--store DIR"),
        (errno.EIO, "the store /s failed: [Errno 5]", "check the disk"),
    ],
)
def test_each_failure_of_the_disk_has_its_message_and_hint(number: int, message: str, hint: str) -> None:
    error = store_error(failing(number), ROOT)
    assert error.message.startswith(message)
    assert hint in str(error.hint)
    assert error.exit_code == 4


def test_a_store_of_somebody_else_is_named_with_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(Path, "owner", lambda path: "alice")
    (tmp_path / "locks").mkdir()
    error = store_error(failing(errno.EACCES, str(tmp_path / "locks" / "ab.lock")), tmp_path)
    assert error.message.endswith(f"Permission denied; {tmp_path / 'locks'} belongs to alice")


def test_an_owner_without_a_name_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(path: Path) -> str:
        raise KeyError(path)

    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(Path, "owner", nameless)
    error = store_error(failing(errno.EACCES), tmp_path, "read")
    assert error.message.endswith(f"cannot be read: Permission denied; {tmp_path} belongs to user {os.getuid()}")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (failing(errno.ENOSPC), "is full"),
        (failing(errno.EDQUOT, "/s/scratch/ab/x"), "is full: the quota"),
        (failing(errno.EROFS), "cannot be written"),
        (failing(errno.EACCES, "/s/snapshots/ab"), "cannot be written"),
        (failing(errno.EIO, "/s/scratch/x"), "the store /s failed"),
        (failing(errno.EIO), "a disk failed"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "is full"),
        (RuntimeError('I/O error: Disk quota exceeded (os error 122) at path "/s/scratch/.tmpAb"'), "the quota"),
        (RuntimeError("I/O error: Read-only file system (os error 30)"), "cannot be written"),
        (RuntimeError("unable to open file </s/a> in read-only mode: Input/output error (5)"), "the store /s failed"),
    ],
)
def test_errors_of_the_stores_disk_are_recognised_by_their_number(error: Exception, message: str) -> None:
    found = disk_error(error, ROOT)
    assert found is not None and message in found.message


def test_the_cause_of_an_error_counts() -> None:
    wrapped = RuntimeError("cannot save")
    wrapped.__cause__ = failing(errno.ENOSPC)
    found = disk_error(wrapped, ROOT)
    assert found is not None and "is full" in found.message


@pytest.mark.parametrize(
    "error",
    [
        ValueError("28"),
        failing(errno.ENOENT, "/s/a"),
        failing(errno.EACCES, "/data/picture.png"),
        failing(errno.EIO, "/data/picture.png"),
        failing(errno.ENOSPC, "/tmp/cache"),
        failing(errno.EPERM),  # of a system call that has nothing to do with files
        RuntimeError('No such file or directory (os error 2) at path "/s/x"'),
        RuntimeError('Permission denied (os error 13) at path "/data/x"'),
        RuntimeError("unable to write to file </torch_7>: No space left on device (28)"),
        RuntimeError("size mismatch for layer (28)"),
    ],
)
def test_other_errors_are_not_the_stores(error: Exception) -> None:
    assert disk_error(error, ROOT) is None
