"""Errors that a user can cause or fix. `cli/app.py` is the one place that prints them."""

from __future__ import annotations

import difflib
import errno
import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import PurePath
from types import CodeType

from prunectl.base.cells import quoted
from prunectl.base.synonyms import meant
from prunectl.base.theirs import third_party, within_package

Path = tuple[str | int, ...]
"""Where something is in a study: keys, and places in lists counted from 0."""

LONGEST = 60
"""Characters of a text that messages show."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

DONE, FAILED, USAGE, STORE, INTERRUPTED = 0, 1, 2, 4, 130

FULL = {errno.ENOSPC, errno.EDQUOT}
"""What the system reports if a disk has no space or no inodes left, or a quota is used up."""


class PrunectlError(Exception):
    """A message for the user: what is wrong, where, and what to do next. Never shown with a traceback."""

    exit_code = USAGE

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Everything that the command line prints of the error, for notebooks and logs."""
        return "\n".join([self.message, *self.details(), *([f"  {self.hint}"] if self.hint else [])])

    def details(self) -> Iterator[str]:
        """The lines between message and hint."""
        yield from ()


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a study, a table or a value, at a path in it."""

    message: str
    path: Path = ()
    hint: str | None = None
    where: str | None = None
    """'file:line:column', or the option that gave it; known once the file is."""

    @property
    def key(self) -> str:
        """The path as people write it."""
        return path_text(self.path)

    def under(self, path: Path) -> Problem:
        """The same problem, seen from further out."""
        return replace(self, path=(*path, *self.path))

    def lines(self) -> Iterator[str]:
        """The problem as people read it: its place, key and message in one line, its hint in the next."""
        yield "".join(f"{part}: " for part in (self.where, self.key) if part) + self.message
        if self.hint:
            yield f"    {self.hint}"


class StudyError(PrunectlError):
    """A study file or an override that cannot be used; carries every problem found, not only the first."""

    def __init__(self, message: str, problems: Iterable[Problem] = (), *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)

    def details(self) -> Iterator[str]:
        """Every problem."""
        return (f"  {line}" for problem in self.problems for line in problem.lines())


class DataError(PrunectlError):
    """A data set that is missing, incomplete or not the one declared."""


class StoreError(PrunectlError):
    """The store cannot be read or written: full, read-only, or not a store."""

    exit_code = STORE


class InterruptError(PrunectlError):
    """Ctrl-C, or a signal that ends a command."""

    exit_code = INTERRUPTED


class MethodError(ValueError):
    """A method has no answer for this input (nothing to prune, scores that are not finite, a diverged loss).

    It would fail in the same way again, so the failure is stored and the next run does not repeat the step.
    """


@contextmanager
def writing(path: str | PathLike[str], *, hint: str | None = None) -> Iterator[None]:
    """Turn an OSError while a file or folder is written into a PrunectlError that names it and the reason.

    Its exit code is FAILED if the disk is full or broken: the command line is right. A reader that has closed a pipe
    is no error of this kind.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        failed = PrunectlError(f"{path} cannot be written: {error.strerror or error}", hint=hint)
        if error.errno in FULL | {errno.EIO}:
            failed.exit_code = FAILED
        raise failed from error


def described(error: BaseException, *, full_path: bool = False) -> str:
    """An exception that somebody's code raised, in one line: type, message, and where in that code.

    "ZeroDivisionError: division by zero (net.py:12, in score)": the innermost line of a third party's file, because
    lines of prunectl, of torch and of Python itself do not help its author. Of a SyntaxError it is the line that is
    wrong. The file is named from its package on, or with its full path.
    """
    text = " ".join(f"{type(error).__name__}: {_message(error)}".split())[:500].rstrip()
    place = next(filter(None, (_place(one, full_path) for one in _chain(error))), None)
    return f"{text.removesuffix(':')} ({place})" if place else text.removesuffix(":")


def their_modules(error: BaseException) -> set[str]:
    """The modules of third parties that an exception came through, by their full names."""
    return {module for one in _chain(error) for module, *_ in _frames(one)}


def _message(error: BaseException) -> str:
    """The text of an exception; that of a class of somebody else's may fail itself."""
    try:
        return str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception as second:
        return f"its message cannot be shown, {type(second).__name__}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, and those that it was raised from or while handling, latest first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _place(error: BaseException, full_path: bool) -> str | None:
    if isinstance(error, SyntaxError) and error.filename and not error.filename.startswith("<"):
        return f"{error.filename if full_path else PurePath(error.filename).name}:{error.lineno}"
    frames = _frames(error)
    if not frames:
        return None
    module, file, function, line = frames[-1]
    shown = file if full_path else within_package(module, file)
    return f"{shown}:{line}, in {function}" if function else f"{shown}:{line}"


def _function(code: CodeType) -> str:
    """The function that code is in, also in a comprehension of it; empty for code of the module."""
    names = [name for name in code.co_qualname.split(".") if not name.startswith("<")]
    return names[-1] if names else ""


def _frames(error: BaseException) -> list[tuple[str, str, str, int]]:
    """Module, file, function and line of each call in a third party's files on the way to an exception."""
    frames = [
        (str(frame.f_globals.get("__name__", "")), frame.f_code.co_filename, _function(frame.f_code), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return [frame for frame in frames if not frame[1].startswith("<") and third_party(frame[0], frame[1])]


def abbreviated(text: str) -> str:
    """A text from a study as a message shows it: in quotes, printable and never long."""
    return quoted(text if len(text) <= LONGEST else text[:LONGEST] + "…")


def path_text(path: Path) -> str:
    """A path as people write it: prune[0].criterion[1].samples_per_class."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else abbreviated(part))
    return text


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that is meant by `name`: another word for it, or the closest one.

    None if no name is close enough to be a likely typing mistake.
    """
    allowed = list(allowed)
    if (synonym := meant(name, allowed)) is not None:
        return synonym
    by_lower = {other.lower(): other for other in reversed(allowed)}
    matches = difflib.get_close_matches(name.lower(), list(reversed(by_lower)), n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None
