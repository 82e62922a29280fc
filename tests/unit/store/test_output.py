"""Files that a user asks for: whole, whatever is in their place."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from prunectl.base.errors import PrunectlError
from prunectl.store.output import output, write_output


def full(handle: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.csv"
    write_output(path, b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PrunectlError, match=r"table.csv cannot be written: No space") as raised:
        write_output(path, b"new", hint="elsewhere")
    assert (raised.value.exit_code, raised.value.hint) == (1, "elsewhere")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_the_one_who_writes_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), output(tmp_path / "a"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_drafts_of_killed_processes_go_with_the_next_write(tmp_path: Path) -> None:
    (tmp_path / ".table.csv.4242-00ff00ff").write_text("half")
    write_output(tmp_path / "table.csv", b"x")
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(exists: bool, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "page.html", tmp_path / "link.html"
    if exists:
        target.write_text("old")
    link.symlink_to(target)
    write_output(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_permissions_are_kept_and_else_follow_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "a"
    old = os.umask(0o027)
    try:
        write_output(path, b"x")
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    write_output(path, b"y")
    assert path.stat().st_mode & 0o777 == 0o604


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, received = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_output(pipe, b"content")
    reader.join()
    assert received == [b"content"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_stdout_by_its_path_keeps_what_others_write_there(name: str, tmp_path: Path) -> None:
    code = f"from pathlib import Path; from prunectl.store.output import *; write_output(Path({name!r}), b'mine\\n')"
    with (tmp_path / "all").open("wb") as file:
        file.write(b"before\n")
        file.flush()
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
        file.seek(0, os.SEEK_END)
        file.write(b"after\n")
    assert (tmp_path / "all").read_bytes() == b"before\nmine\nafter\n"


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(PrunectlError, match="cannot be written: Is a directory") as raised:
        write_output(tmp_path, b"x")
    assert raised.value.exit_code == 2
    with pytest.raises(PrunectlError, match="nowhere/a cannot be written: No such file"):
        write_output(tmp_path / "nowhere" / "a", b"x")


def test_a_protected_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("mine")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PrunectlError, match="Permission denied"):
        write_output(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_text() == "mine"


def test_with_new_nothing_is_replaced(tmp_path: Path) -> None:
    write_output(tmp_path / "a", b"x", new=True)
    with pytest.raises(PrunectlError, match="File exists"):
        write_output(tmp_path / "a", b"y", new=True)
    assert (tmp_path / "a").read_bytes() == b"x"
