"""Where the installed command begins: it imports the rest, so that Ctrl-C is one line from the first moment on."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


def main() -> None:
    """The command line. Only what happens before this function is called can end with a traceback of Python's own."""
    try:
        from prunectl.cli.app import main as begin

        begin()
    except KeyboardInterrupt:
        if os.environ.get("PRUNECTL_DEBUG"):
            raise
        sys.stderr.write("error: interrupted\n")
        sys.exit(INTERRUPTED)
