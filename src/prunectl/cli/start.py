"""Where the installed command begins: it imports the rest, so that Ctrl-C and its like are one line from the start."""

from __future__ import annotations

import gc
import os
import sys

from prunectl.cli.signals import listen

INTERRUPTED = 130
COLLECT_AFTER = 100_000
"""New objects between two collections of garbage: a plan has many that stay, and looking through them takes long."""


def main() -> None:
    """The command line. Only what happens before this function is called can end with a traceback of Python's own."""
    try:
        listen()
        gc.set_threshold(COLLECT_AFTER)
        from prunectl.cli.app import main as begin

        begin()
    except KeyboardInterrupt:
        if os.environ.get("PRUNECTL_DEBUG"):
            raise
        sys.stderr.write("error: interrupted\n")
        sys.exit(INTERRUPTED)
    finally:
        gc.freeze()  # else Python looks for garbage in all that was imported before it exits: a sixth of a second
