"""Errors that a user can cause or fix. `cli/app.py` is the one place that prints them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

DONE, FAILED, USAGE, STORE, INTERRUPTED = 0, 1, 2, 4, 130


class PrunectlError(Exception):
    """A message for the user: what is wrong, where, and what to do next. Never shown with a traceback."""

    exit_code = USAGE

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with a study: `where` is 'file:line:column', `key` the dotted path in the file."""

    key: str
    message: str
    where: str | None = None
    hint: str | None = None


class StudyError(PrunectlError):
    """A study file or an override that cannot be used; carries every problem found, not only the first."""

    def __init__(self, message: str, problems: Iterable[Problem] = (), *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class DataError(PrunectlError):
    """A data set that is missing, incomplete or not the one declared."""


class StoreError(PrunectlError):
    """The store cannot be read or written: full, read-only, or not a store."""

    exit_code = STORE


class MethodError(ValueError):
    """A method has no answer for this input (nothing to prune, scores that are not finite, a diverged loss).

    It would fail in the same way again, so the failure is stored and the next run does not repeat the step.
    """


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name closest to `name`, or None if none is close enough to be a likely typing mistake."""
    matches = difflib.get_close_matches(name.lower(), list(allowed), n=1, cutoff=0.6)
    return matches[0] if matches else None
