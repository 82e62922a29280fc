"""Where a worker's stdout and stderr go: a file without a name, shared by a worker and its driver.

It is emptied after each step. Its driver reads what a worker left that died.
"""

from __future__ import annotations

import fcntl
import os
import tempfile

MOST_BYTES = 1_000_000
"""What is kept of the output of one step: its end."""


class Spool:
    """One end of the file."""

    def __init__(self, descriptor: int | None = None) -> None:
        """The file of a descriptor, or a new one."""
        if descriptor is None:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)  # so that it can be emptied by any writer
        self.descriptor = descriptor

    def redirect(self) -> None:
        """Let everything that this process prints go here, by whatever code."""
        for stream in (1, 2):
            os.dup2(self.descriptor, stream)

    def take(self) -> bytes:
        """What was printed since the last time; of more than `MOST_BYTES` the end, and a line about the rest."""
        size = os.fstat(self.descriptor).st_size
        if not size:
            return b""
        left_out = max(0, size - MOST_BYTES)
        text = os.pread(self.descriptor, MOST_BYTES, left_out)
        os.ftruncate(self.descriptor, 0)
        return f"[the first {left_out:,} bytes are not kept]\n".encode() + text if left_out else text

    def close(self) -> None:
        """Let the file go."""
        os.close(self.descriptor)
