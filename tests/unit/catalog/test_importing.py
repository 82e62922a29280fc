"""Importing a plug-in does not disturb the command that does it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunectl.base.errors import DataError, PrunectlError, StudyError
from prunectl.catalog.importing import calling, imported, same_directory, stdout_on_stderr

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


def raising(source: str) -> Callable[[], None]:
    """A function of a third party's module."""
    scope: dict[str, Any] = {"__name__": "plugged"}
    exec(compile(f"import os, sys\ndef act():\n    {source}\n", "/far/plugged.py", "exec"), scope)
    act: Callable[[], None] = scope["act"]
    return act


@pytest.mark.parametrize("source", ["sys.exit(7)", "1 / 0", "raise GeneratorExit", "raise MemoryError"])
def test_whatever_a_method_raises_is_an_error_with_its_line(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    what = r"^mine cannot be read: \w+.*\(/far/plugged.py:3, in act\)"
    with pytest.raises(DataError, match=what), calling("mine cannot be read", DataError):
        raising(f"os.chdir('/'); print('loud'); {source}")()
    assert Path.cwd() == tmp_path
    assert capfd.readouterr() == ("", "loud\n")


def test_ctrl_c_our_own_errors_and_our_own_mistakes_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunectl.catalog.importing.their_modules", lambda error: set())
    for error in (KeyboardInterrupt(), StudyError("x"), ValueError("ours")):
        with pytest.raises(type(error)), calling("x"):
            raise error
    with pytest.raises(PrunectlError, match="x: ValueError: theirs"), calling("x", theirs=True):
        raise ValueError("theirs")


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
