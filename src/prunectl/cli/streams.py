"""The standard streams, whatever is at their other end: an old terminal, a full disk, nothing."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
import unicodedata
from typing import Any, TextIO, TypeGuard

from prunectl.base.errors import FAILED, PrunectlError

ASCII = {
    "−": "-", "–": "-", "—": "-", "…": "...", "·": "|", "×": "x", "≥": ">=", "≤": "<=", "→": "->", "±": "+-", "≈": "~",
    "∂": "d", "√": "sqrt", "σ": "sigma", "γ": "gamma", "⊙": "*", "‖": "||", "“": '"', "”": '"', "‘": "'", "’": "'",
    "┤": "|", "│": "|", "├": "|", "─": "-", "━": "-", "┼": "+", "●": "*", "•": "*", "✓": "ok",
}  # fmt: skip
"""What is printed for a character that a terminal does not have."""


class OutputError(PrunectlError):
    """Stdout cannot be written. What was computed is in the store."""

    exit_code = FAILED

    def __init__(self, error: OSError) -> None:
        hint = "what was computed is kept: run the same command with its output where it can be written"
        super().__init__(f"stdout cannot be written: {error.strerror or error}", hint=hint)


def prepare() -> None:
    """Make the streams usable: to be called once, before anything is printed.

    A character that the terminal's encoding lacks is printed in ASCII. A stream that was closed is opened again, so
    that its descriptor is never given to a file: of the store, for example. Stdout then raises an OutputError when it
    is written, and so does one whose disk is full; a reader that has left is no error. What would go to a closed
    stderr is dropped.
    """
    codecs.register_error("prunectl", _replaced)
    closed = [descriptor for descriptor in range(3) if not _is_open(descriptor)]
    for _ in closed:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest descriptor that is free
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="prunectl")
    if 1 in closed:
        sys.stdout = _wrapped(None)
    elif _is_plain(sys.stdout):
        sys.stdout = _wrapped(sys.stdout)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _is_plain(stream: TextIO | None) -> TypeGuard[io.TextIOWrapper]:
    """Whether it is the interpreter's own, and not one that a test or a notebook put in its place."""
    return isinstance(stream, io.TextIOWrapper) and type(_raw(stream)) is io.FileIO


def _raw(stream: TextIO | None) -> object:
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED there is only the raw one


def _wrapped(stream: io.TextIOWrapper | None) -> io.TextIOWrapper:
    """The stream that replaces stdout, or one that was closed."""
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(Stdout(closed=True)), encoding="utf-8")
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(Stdout()),
        encoding=stream.encoding,
        errors="prunectl",
        line_buffering=stream.line_buffering or stream.write_through,
    )


class Stdout(io.FileIO):
    """A descriptor whose failures are errors for people."""

    def __init__(self, descriptor: int = 1, *, closed: bool = False) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.was_closed = closed

    def discard(self) -> None:
        """Write to nowhere from now on."""
        self.was_closed = False
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)

    def write(self, data: Any) -> int:
        """Raises OutputError where nothing can be written. A reader that has left gets nothing more."""
        try:
            if self.was_closed:
                raise OSError(errno.EBADF, "it is closed")
            return super().write(data) or 0
        except BrokenPipeError:
            self.discard()
            return len(data)
        except OSError as error:
            self.discard()
            raise OutputError(error) from error


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """The characters that an encoding lacks, in ASCII: without their accents, or '?'."""
    assert isinstance(error, UnicodeEncodeError)
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(char: str) -> str:
    base = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return ASCII.get(char) or base or "?"
