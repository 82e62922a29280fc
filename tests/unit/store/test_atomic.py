"""Atomic writes, and what the system's errors mean for a user."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from prunectl.store import atomic


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in (b"first", b"second, longer", b""):
        atomic.write_whole(path, content)
        assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    atomic.write_whole(path, b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_the_content_is_on_the_disk_before_the_name_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def flush(handle: int) -> None:
        calls.append("fsync")
        fsync(handle)

    def rename(path: Path, target: Path) -> Path:
        calls.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "replace", rename)
    atomic.write_whole(tmp_path / "a", b"x")
    assert calls == ["fsync", "rename", "fsync"]


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert atomic.sha256(tmp_path / "a") == hashlib.sha256(b"x" * 3_000_000).hexdigest()


def test_a_tree_is_removed_with_its_read_only_files_or_was_gone_already(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "file").touch(mode=0o444)
    for _ in range(2):
        atomic.remove_tree(tree)
        assert not tree.exists()


@pytest.mark.parametrize(
    ("number", "message", "hint"),
    [
        (errno.ENOSPC, "the disk of the store /s is full", "prunectl cache gc"),
        (errno.EDQUOT, "the disk of the store /s is full", "prunectl cache gc"),
        (errno.EROFS, "the store /s cannot be written", "--store DIR"),
        (errno.EACCES, "the store /s cannot be written", "--store DIR"),
        (errno.EIO, "the store /s failed", "check the disk"),
    ],
)
def test_each_failure_of_the_disk_has_its_message_and_hint(number: int, message: str, hint: str) -> None:
    error = atomic.store_error(OSError(number, os.strerror(number)), Path("/s"))
    assert error.message.startswith(message)
    assert hint in str(error.hint)
    assert error.exit_code == 4
