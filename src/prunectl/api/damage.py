"""What is done about damaged artefacts, and how users are warned of that and of other things."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Warn = Callable[[str], None]
"""Receives one sentence about something that the user should know and need not act on."""

warn_in_log: Warn = logging.getLogger("prunectl").warning


def undamaged(attempt: Callable[[], T], warn: Warn, *, then: str = "the next run recomputes it") -> T:
    """What an attempt to make or read artefacts returns.

    An artefact that is found damaged is set aside, so that it is missing from then on, and the attempt is repeated.
    """
    from prunectl.store.local import DamagedError

    while True:
        try:
            return attempt()
        except DamagedError as error:
            warn(f"{error}; {error.fate}" + (f", and {then}" if error.kept is None else ""))
