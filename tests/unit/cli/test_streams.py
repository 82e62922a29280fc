"""The standard streams: terminals without Unicode, closed descriptors, full disks, readers that leave."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from prunectl.cli import streams

SHOW = "import sys; from prunectl.cli.streams import prepare; prepare(); print({text!r}); sys.stdout.flush()"


def shown(shell: str, text: str = "12 %", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A shell command in which $SHOW prints a text with prepared streams."""
    show = f'{sys.executable} -c "$CODE"'
    environment = {**os.environ, "CODE": SHOW.format(text=text), **variables}
    return subprocess.run(
        ["sh", "-c", shell.replace("$SHOW", show)], capture_output=True, env=environment, check=False, timeout=60
    )


def wrapped(descriptor: int, *, closed: bool = False) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(streams.Stdout(descriptor, closed=closed)), encoding="utf-8")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_a_character_that_the_terminal_lacks_is_printed_in_ascii(encoding: str) -> None:
    done = shown("$SHOW", "−1 ≥ é … ┤ 漢", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.decode(encoding)
    assert printed.startswith(("-1 >= ", "−1 >= "))
    assert printed.rstrip().endswith("| ?")


def test_utf_8_is_printed_as_it_is() -> None:
    assert shown("$SHOW", "−1 ≥ é", PYTHONIOENCODING="utf-8").stdout.decode() == "−1 ≥ é\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_stdout_is_an_error_for_people(unbuffered: str) -> None:
    done = shown("$SHOW > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert b"OutputError: stdout cannot be written: No space left on device" in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_a_closed_stdout_is_an_error_for_people() -> None:
    assert b"OutputError: stdout cannot be written: it is closed" in shown("$SHOW >&-").stderr


def test_a_reader_that_leaves_ends_nothing() -> None:
    done = shown("($SHOW; echo $? >&2) | true")
    assert done.stderr == b"0\n"


def test_without_stderr_and_stdin_everything_else_works() -> None:
    done = shown("$SHOW <&- 2>&-")
    assert (done.returncode, done.stdout) == (0, b"12 %\n")


def test_a_closed_descriptor_is_never_given_to_a_file(tmp_path: Path) -> None:
    code = "from prunectl.cli.streams import prepare; prepare(); file = open('x', 'w'); assert file.fileno() > 2"
    done = subprocess.run(
        ["sh", "-c", f'{sys.executable} -c "{code}" <&- >&- 2>&-'], cwd=tmp_path, check=False, timeout=60
    )
    assert done.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_after_a_failure_nothing_fails_again() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    out = wrapped(full)
    out.write("lost")
    with pytest.raises(streams.OutputError, match="No space left") as caught:
        out.flush()
    assert caught.value.exit_code == 1
    out.flush()
    os.close(full)


def test_a_reader_that_left_gets_nothing_and_costs_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    out = wrapped(writing)
    for _ in range(2):
        out.write("x" * 100_000)
        out.flush()
    os.close(writing)


def test_streams_of_a_notebook_or_a_test_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = io.StringIO()
    monkeypatch.setattr(sys, "stdout", theirs)
    monkeypatch.setattr(sys, "stderr", theirs)
    streams.prepare()
    assert sys.stdout is theirs
