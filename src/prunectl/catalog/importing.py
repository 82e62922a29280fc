"""Importing and calling somebody else's code without letting it disturb the command that does it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from typing import Any

from prunectl.base import ctrl_c
from prunectl.base.errors import PrunectlError, described, their_modules


def imported(place: str) -> Any:
    """What is at 'module:attribute'. Raises whatever the module raises, SystemExit included.

    What it prints goes to stderr, because stdout is for results, and a change of the working directory is undone.
    """
    module, _, attribute = place.partition(":")
    if module in sys.modules:  # nothing is run
        return _attribute(sys.modules[module], attribute)
    with stdout_on_stderr(), same_directory():
        return _attribute(import_module(module), attribute)


def _attribute(module: Any, attribute: str) -> Any:
    return reduce(getattr, attribute.split("."), module)


@contextlib.contextmanager
def calling(failing: str, error_type: type[PrunectlError] = PrunectlError, *, theirs: bool = False) -> Iterator[None]:
    """While methods of entries are called in the process of a command, of which any may be a third party's.

    What it prints goes to stderr, a change of the working directory is undone, and whatever it raises, SystemExit
    included, is an error of `error_type` that begins with `failing` and has its line. Other exceptions are prunectl's
    mistakes, and are raised as they are; with `theirs` they come from what code of a third party has returned.
    """
    try:
        with stdout_on_stderr(), same_directory():
            yield
    except PrunectlError:
        raise
    except BaseException as error:
        ctrl_c.pass_on(error)
        if not theirs and not their_modules(error):
            raise
        raise error_type(f"{failing}: {described(error, full_path=True)}") from error


@contextlib.contextmanager
def same_directory() -> Iterator[None]:
    """Go back to the present directory afterwards, if there is one."""
    try:
        before = os.open(".", os.O_RDONLY)
    except OSError:  # it was removed, or may not be read
        yield
        return
    try:
        yield
    finally:
        os.fchdir(before)
        os.close(before)


@contextlib.contextmanager
def stdout_on_stderr() -> Iterator[None]:
    """What Python code, and processes that it starts, write to stdout meanwhile goes to stderr."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # stdout is full, closed or None
        sys.stdout.flush()
    with contextlib.redirect_stdout(sys.stderr), _descriptor_on_stderr():
        yield


@contextlib.contextmanager
def _descriptor_on_stderr() -> Iterator[None]:
    try:
        before = os.dup(1)
    except OSError:  # stdout is closed
        yield
        return
    try:
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        os.dup2(before, 1)
        os.close(before)
