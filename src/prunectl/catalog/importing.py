"""Importing somebody else's module without letting it disturb the command that does it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from typing import Any


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
