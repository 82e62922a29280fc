"""Ctrl-C, and exceptions of the same kind that somebody's code raises."""

from __future__ import annotations

import os

_left_to_driver: set[int] = set()
"""This process, if it is a worker."""


def leave_to_driver() -> None:
    """Called by a worker, where no signal raises KeyboardInterrupt, whatever is done to its handlers."""
    _left_to_driver.add(os.getpid())


def pass_on(error: BaseException) -> None:
    """Raise an exception again that may be Ctrl-C: called first where anything is caught that code of others raises.

    In a worker a KeyboardInterrupt is an error of that code like any other; SystemExit, GeneratorExit and every other
    BaseException are that everywhere.
    """
    if isinstance(error, KeyboardInterrupt) and os.getpid() not in _left_to_driver:
        raise error
