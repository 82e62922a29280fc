"""Signals that end a command as Ctrl-C does. They are handled before anything that takes time is imported."""

from __future__ import annotations

import signal

ENDING = [number for number in signal.Signals if number.name in ("SIGTERM", "SIGHUP")]
"""How a cluster, a service manager or a closed terminal ends a command. Not all systems have both."""


def listen() -> None:
    """Handle the signals that end a command as Ctrl-C, except one that is ignored, as SIGHUP is under nohup."""
    for number in ENDING:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    """Handle only the first signal: often two arrive, and the second must not interrupt the clean-up."""
    for ending in ENDING:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt
