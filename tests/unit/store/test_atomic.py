"""Files that are whole, and what is read of others."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
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


def test_a_file_in_the_place_of_a_tree_is_removed_as_well(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        atomic.remove_tree(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_new_directories_are_flushed_into_their_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(atomic, "sync", flushed.append)
    atomic.make_directory(tmp_path / "a" / "b" / "c")
    assert flushed == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    atomic.make_directory(tmp_path / "a" / "b")
    assert len(flushed) == 3, "one that exists is left alone"


def test_a_file_in_the_way_of_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(NotADirectoryError, match=r"/a'"):
        atomic.make_directory(tmp_path / "a" / "b")


def put_a_directory(path: Path) -> None:
    path.mkdir()


def put_a_link_loop(path: Path) -> None:
    path.symlink_to(path.name)


def put_a_pipe(path: Path) -> None:
    os.mkfifo(path)


def put_a_huge_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(atomic.LARGEST_DOCUMENT + 1)


@pytest.mark.parametrize("put", [put_a_directory, put_a_link_loop, put_a_pipe, put_a_huge_file])
def test_what_is_no_document_is_an_odd_error_and_never_waited_for(put: Callable[[Path], None], tmp_path: Path) -> None:
    put(tmp_path / "a")
    with pytest.raises(OSError) as raised:  # its number is what matters
        atomic.read_document(tmp_path / "a")
    assert raised.value.errno in atomic.ODD


def test_writers_of_one_file_never_share_a_draft(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with atomic.whole(path) as one, atomic.whole(path) as other:
        one.write(b"one" * 1000)
        other.write(b"other")
    assert path.read_bytes() == b"one" * 1000, "the last to finish"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["é" * 127, "a" * 255])
def test_the_longest_names_can_be_written(name: str, tmp_path: Path) -> None:
    atomic.write_whole(tmp_path / name, b"x")
    assert (tmp_path / name).read_bytes() == b"x"


def test_a_file_that_must_be_new_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with atomic.whole(path, new=True) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError), atomic.whole(path, new=True) as file:
        file.write(b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_drafts_of_the_dead_are_swept_and_those_in_use_are_not(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    dead, mine = tmp_path / ".table.csv.99-0123abcd", tmp_path / ".table.csv.1"
    other = tmp_path / ".page.html.99-0123abcd"
    for file in (dead, mine, other):
        file.write_text("half")
    with atomic.whole(path) as draft:
        draft.write(b"x")
        (living,) = set(tmp_path.iterdir()) - {dead, mine, other}
        atomic.sweep_drafts(tmp_path, "table.csv")
        assert living.exists() and not dead.exists()
    assert path.read_bytes() == b"x"
    assert {*tmp_path.iterdir()} == {path, mine, other}, "what a user named is left, and drafts of other files"


def test_a_draft_that_was_swept_before_it_was_locked_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = atomic._lock
    swept: list[Path] = []

    def swept_once(handle: int, *, wait: bool = True) -> bool:
        if not swept:
            swept.extend(tmp_path.iterdir())
            swept[0].unlink()
        return lock(handle, wait=wait)

    monkeypatch.setattr(atomic, "_lock", swept_once)
    atomic.write_whole(tmp_path / "a", b"x")
    assert swept and (tmp_path / "a").read_bytes() == b"x"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
