"""Which machine makes a step. A claim only avoids doing work twice: whatever happens to one, results stay right.

A claim is an object, or a file, that its owner writes again every few seconds. Whoever sees one that has not changed
for longer takes it over. Only the observer's own clock counts, so machines whose clocks differ understand each other.
"""

from __future__ import annotations

import contextlib
import json
import platform
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from prunectl.base.errors import StoreError
from prunectl.base.keys import digest
from prunectl.store import layout

BEAT_S, EXPIRES_S = 20.0, 120.0
"""How often a claim is renewed, and how long one is respected that is not."""
TORN_S = 2.0
"""How long a claim is respected that names no owner: its writer was killed, or its disk was full."""


class Places(Protocol):
    """Where claims are kept, by name: objects in a bucket, files in a directory."""

    def create(self, name: str, data: bytes) -> bool:
        """Create one, in one move. Returns False if it exists."""

    def read(self, name: str) -> bytes | None:
        """The content; None if it does not exist."""

    def write(self, name: str, content: bytes) -> None:
        """Create or replace one."""

    def delete(self, name: str) -> None:
        """Delete one; a missing one is no error."""


class Claims:
    """The claims of one owner: the processes of a machine that share locks."""

    def __init__(
        self,
        places: Places,
        owner: str,
        folder: Path,
        clock: Callable[[], float] = time.time,
        *,
        name: Callable[[str], str] = layout.claim_object,
    ) -> None:
        self.places = places
        self.owner = owner
        self.folder = folder
        """Where it is noted since when a claim has not changed: another process may look the next time."""
        self.clock = clock
        self.name = name

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
            with contextlib.suppress(StoreError, OSError):  # it expires
                if self._mine(key):
                    self.places.delete(self.name(key))

    def take(self, key: str) -> bool:
        """Claim a step. Returns False if another owner has claimed it, and the claim has not expired.

        A claim of the same owner is one of a dead process: whoever asks holds the lock of the step on this machine.
        """
        name, mine = self.name(key), self._text(0)
        if not self.places.create(name, mine):
            theirs = self.places.read(name)
            if theirs is None:  # given back in the meantime
                return self.places.create(name, mine)
            owner = owner_of(theirs)
            if not self.ours(owner) and not self.expired(key, theirs, EXPIRES_S if owner else TORN_S):
                return False
            self.places.write(name, mine)
        with contextlib.suppress(OSError):
            self._note(key).unlink(missing_ok=True)
        return True

    def ours(self, owner: str) -> bool:
        """Whether an owner is this one."""
        return owner == self.owner

    def expired(self, key: str, claim: bytes, after_s: float = EXPIRES_S) -> bool:
        """Whether a claim has not changed for longer than this; the first look only notes when it was.

        Raises OSError if that cannot be noted: such a claim would be respected for ever.
        """
        note, now, seen = self._note(key), self.clock(), digest(claim.decode(errors="replace"))
        known, since, _ = _noted(note)
        if known == seen:
            return now - since > after_s
        note.write_text(f"{seen} {now} {'renewed' if known else 'new'}")
        return False

    def alive(self, key: str) -> bool:
        """Whether the claim of another owner was seen to be renewed not long ago: its owner lives."""
        known, since, renewed = _noted(self._note(key))
        return bool(known) and renewed and self.clock() - since < 3 * BEAT_S

    def _renew(self, key: str, ended: threading.Event) -> None:
        beat = 0
        while not ended.wait(BEAT_S):
            beat += 1
            with contextlib.suppress(StoreError, OSError):  # the network may come back before the claim expires
                self.renew(key, beat)

    def renew(self, key: str, beat: int) -> None:
        """Write a claim again, unless another owner has taken it over: this process was suspended for too long."""
        if self._mine(key):
            self.places.write(self.name(key), self._text(beat))

    def _mine(self, key: str) -> bool:
        claim = self.places.read(self.name(key))
        return claim is not None and owner_of(claim) == self.owner

    def _text(self, beat: int) -> bytes:
        return json.dumps({"owner": self.owner, "host": platform.node(), "beat": beat}).encode() + b"\n"

    def _note(self, key: str) -> Path:
        return self.folder / f"{key}.{digest(self.owner)[:12]}.seen"


def _noted(note: Path) -> tuple[str, float, bool]:
    """The digest of a claim that was seen, since when, and whether it was an earlier one before; or nothing."""
    with contextlib.suppress(OSError, ValueError):
        seen, since, how = note.read_text().split()
        return seen, float(since), how == "renewed"
    return "", 0.0, False


def owner_of(claim: bytes) -> str:
    """Who wrote a claim; empty if that cannot be read. Only its first line counts, see `locks.ClaimFiles.write`."""
    try:
        return str(json.loads(claim.partition(b"\n")[0])["owner"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
