"""Importing a plug-in does not disturb the command that does it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prunectl.catalog.importing import imported, same_directory, stdout_on_stderr

Module = Callable[[str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """A module with this source on the path; the name under which it is imported."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(source: str) -> str:
        name = f"plugged_{len(list(tmp_path.iterdir()))}_{tmp_path.name[-1]}"
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return written


def test_what_it_prints_goes_to_stderr(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    source = "import os, subprocess\nprint('a')\nos.write(1, b'b')\nsubprocess.run(['echo', 'c'])\nX = 1\n"
    print("before", end="")  # noqa: T201
    assert imported(f"{module(source)}:X") == 1
    print("after", end="")  # noqa: T201
    out, err = capfd.readouterr()
    assert out == "beforeafter"
    assert sorted(err.split()) == ["a", "bc"] or {"a", "b", "c"} <= set(err)


def test_a_change_of_directory_is_undone(module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert imported(f"{module('import os; os.chdir(chr(47)); X = 1')}:X") == 1
    assert Path.cwd() == tmp_path


def test_both_are_undone_where_it_raises(module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sys.stdout
    with pytest.raises(SystemExit):
        imported(f"{module('import os, sys; os.chdir(chr(47)); sys.stdout = None; sys.exit(7)')}:X")
    assert Path.cwd() == tmp_path
    assert sys.stdout is before


def test_a_directory_that_is_gone_and_a_closed_stdout_are_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with same_directory():
        pass
    os.chdir(tmp_path)
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    monkeypatch.setattr(os, "dup", lambda number: (_ for _ in ()).throw(OSError(9, "Bad file descriptor")))
    with stdout_on_stderr():
        pass
    assert sys.stdout is closed


def test_an_attribute_of_an_attribute(module: Module) -> None:
    nested = module("class A:\n    class B: pass\n")
    assert imported(f"{nested}:A.B").__name__ == "B"
    with pytest.raises(AttributeError):
        imported("os:no_such_thing")
