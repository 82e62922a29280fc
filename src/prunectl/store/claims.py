"""Which machine makes a step. A claim only avoids doing work twice: whatever happens to one, results stay right.

A claim is an object that its owner writes again every few seconds. Whoever sees one that has not changed for longer
takes it over. Only the observer's own clock counts, so machines whose clocks differ understand each other.
"""

from __future__ import annotations

import contextlib
import json
import platform
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from prunectl.base.errors import StoreError
from prunectl.base.keys import digest
from prunectl.store import layout
from prunectl.store.objects import Objects

BEAT_S, EXPIRES_S = 20.0, 120.0
"""How often a claim is renewed, and how long one is respected that is not."""


class Claims:
    """The claims of one owner: the processes of a machine that share a local directory, and its locks."""

    def __init__(self, objects: Objects, owner: str, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.objects = objects
        self.owner = owner
        self.folder = folder
        """Where it is noted since when a claim has not changed: another process may look the next time."""
        self.clock = clock

    @contextlib.contextmanager
    def held(self, key: str) -> Iterator[bool]:
        """Claim a step, unless another owner has; gives whether that worked. The claim is renewed until the end."""
        if not self.take(key):
            yield False
            return
        ended = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(key, ended), daemon=True)
        renewing.start()
        try:
            yield True
        finally:
            ended.set()
            renewing.join()
            with contextlib.suppress(StoreError):  # it expires
                self.objects.delete(layout.claim_object(key))

    def take(self, key: str) -> bool:
        """Claim a step. Returns False if another owner has claimed it, and the claim has not expired.

        A claim of the same owner is one of a dead process: whoever asks holds the lock of the step on this machine.
        """
        name, mine = layout.claim_object(key), self._text(0)
        if self.objects.create(name, mine):
            return True
        theirs = self.objects.read(name)
        if theirs is None:  # given back in the meantime
            return self.objects.create(name, mine)
        if _owner(theirs) != self.owner and not self._expired(key, theirs):
            return False
        self.objects.write(name, mine)
        return True

    def _renew(self, key: str, ended: threading.Event) -> None:
        beat = 0
        while not ended.wait(BEAT_S):
            beat += 1
            with contextlib.suppress(StoreError):  # the network may come back before the claim expires
                self.objects.write(layout.claim_object(key), self._text(beat))

    def _text(self, beat: int) -> bytes:
        return json.dumps({"owner": self.owner, "host": platform.node(), "beat": beat}).encode() + b"\n"

    def _expired(self, key: str, claim: bytes) -> bool:
        """Whether a claim has not changed for `EXPIRES_S`; the first look only notes when it was."""
        note, now, seen = self.folder / f"{key}.claim", self.clock(), digest(claim.decode(errors="replace"))
        with contextlib.suppress(OSError, ValueError):
            known, since = note.read_text().split()
            if known == seen:
                expired = now - float(since) > EXPIRES_S
                if expired:
                    note.unlink(missing_ok=True)
                return expired
        with contextlib.suppress(OSError):  # then it is never taken over by this machine
            note.write_text(f"{seen} {now}")
        return False


def _owner(claim: bytes) -> str:
    """Who wrote a claim; empty if that cannot be read."""
    try:
        return str(json.loads(claim)["owner"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
