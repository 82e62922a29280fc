"""A pipe for stdout and stderr of a process; its driver empties it, so that no output fills a disk or memory.

Workers, nurseries and the process that speaks to Ray have one each. None of them has the streams of the command, which
somebody may read to their end: they may live a moment longer. The driver empties a pipe whenever it waits, also while
a step runs; a step that prints faster than that waits for it.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import sys
import termios

KEPT_BYTES = 500_000
"""What is kept of the output of one step: this much of its beginning, and of its end."""
PIPE_BYTES = 1 << 20
"""What a step can print before its driver has to read, where the system allows so much."""


class Spool:
    """Both ends of the pipe. A worker holds both too: were its driver killed, it would get an error for printing."""

    def __init__(self, writing: int | None = None, reading: int | None = None) -> None:
        """The pipe of these descriptors, or a new one."""
        if writing is None or reading is None:
            reading, writing = os.pipe()
            if sys.platform == "linux":
                with contextlib.suppress(OSError):
                    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.writing, self.reading = writing, reading
        self.head, self.tail = bytearray(), bytearray()
        self.left_out = 0

    def redirect(self) -> None:
        """Let everything that this process prints go here, by whatever code."""
        for stream in (1, 2):
            os.dup2(self.writing, stream)

    def drain(self) -> None:
        """Take in what has been printed so far, without waiting for more."""
        waiting = array.array("i", [0])
        fcntl.ioctl(self.reading, termios.FIONREAD, waiting)
        if waiting[0]:
            self._keep(os.read(self.reading, waiting[0]))

    def take(self) -> bytes:
        """What was printed since the last time: of much output the beginning and the end, and a line between them."""
        self.drain()
        line = f"\n[{self.left_out:,} bytes are not kept]\n".encode() if self.left_out else b""
        text = bytes(self.head) + line + bytes(self.tail)
        self.head, self.tail = bytearray(), bytearray()
        self.left_out = 0
        return text

    def show(self) -> None:
        """Print on stderr what was printed since the last time."""
        if printed := self.take():
            with contextlib.suppress(OSError):
                os.write(2, printed)

    def close(self) -> None:
        """Let the pipe go."""
        os.close(self.writing)
        os.close(self.reading)

    def _keep(self, text: bytes) -> None:
        room = KEPT_BYTES - len(self.head)
        self.head += text[:room]
        self.tail += text[room:]
        if (excess := len(self.tail) - KEPT_BYTES) > 0:
            del self.tail[:excess]
            self.left_out += excess
