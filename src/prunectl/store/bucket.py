"""Where a remote store is: its marker, the keys that it lists, its claims and its failures."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

from prunectl.base.errors import StoreError
from prunectl.base.keys import digest
from prunectl.store import layout
from prunectl.store.atomic import read_document, write_whole
from prunectl.store.attempts import is_failure
from prunectl.store.claims import Claims
from prunectl.store.local import LocalStore
from prunectl.store.locks import HeldError
from prunectl.store.objects import Objects, connect
from prunectl.store.peeked import Peeked

_KEY = re.compile(r"[0-9a-f]{64}")
_MARKER = json.dumps({"layout": layout.REMOTE_LAYOUT}).encode() + b"\n"

_log = logging.getLogger("prunectl")


class Bucket(LocalStore):
    """A place for objects, with a local directory in front."""

    def __init__(self, objects: Objects, root: Path) -> None:
        super().__init__(root)
        self.objects = objects
        self.copies = LocalStore(root).open().create()  # what is read is kept there
        self.peeked = Peeked(root)
        self._lists = False
        self._unmarked = False
        """Whether the bucket had no marker when the store was opened: what is written to it makes it a store."""
        self._listed: dict[str, set[str]] = {}

    @classmethod
    def at(cls, url: str) -> Self:
        """The store at a URL, with the local directory that is the user's for it. Raises StoreError."""
        scheme, _, rest = url.partition("://")
        url = f"{scheme}://{rest.rstrip('/')}"
        return cls(connect(url), copies_of(url))

    @property
    def address(self) -> str:
        """The URL: a worker on another machine has a local directory of its own."""
        return self.objects.url

    @property
    def url(self) -> str:
        """The URL."""
        return self.objects.url

    def __str__(self) -> str:
        """The store in messages."""
        return self.objects.url

    def open(self) -> Self:
        """Make sure that this is a store, or can become one, in a bucket that exists. No object is written.

        Raises StoreError for one that cannot be reached, holds other objects, or has a layout of another version.
        """
        marker = self.objects.read(layout.MARKER)
        if marker is None:
            self._refuse_other_objects()
            self._unmarked = True
        elif (version := _layout(marker)) != layout.REMOTE_LAYOUT:
            where = self.url.removeprefix("file://")
            directory = version == layout.LAYOUT and where != self.url
            raise StoreError(
                f"the store {self} has a layout that this version of prunectl does not know",
                hint=f"it is a directory: use --store {where}" if directory else "use the version that created it",
            )
        self._lists = True
        return self

    def create(self) -> Self:
        """Create the store if it did not exist when it was opened. What writes to it does so first."""
        if self._unmarked:
            self.objects.create(layout.MARKER, _MARKER)
            self._unmarked = False
        return self

    def _refuse_other_objects(self) -> None:
        if (other := next(self.objects.names(""), None)) is not None:
            hint = f"choose a place below it: --store {self}/PREFIX"
            raise StoreError(f"{self} holds other objects ({other}, ...) and is not a store", hint=hint)

    def require_writable(self) -> None:
        """Raises StoreError, before anything is computed, if no step could be stored here or in the bucket."""
        super().require_writable()
        self.objects.write(layout.MARKER, _MARKER)

    def refresh(self) -> None:
        """Forget which keys were listed: other machines may have made steps since."""
        self._listed.clear()

    def _names(self, folder: str) -> set[str]:
        """The keys that have an object in a folder, listed once."""
        if folder not in self._listed:
            found = (Path(name).stem for name in self.objects.names(folder))
            self._listed[folder] = {key for key in found if _KEY.fullmatch(key)}
        return self._listed[folder]

    def listed(self, folder: str) -> set[str]:
        """As for a directory; failures are those of every machine."""
        return set(self._names(folder)) if folder == layout.FAILURES else super().listed(folder)

    # ---- claims and failures ---------------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the lock of the step on this machine, and claim it among machines.

        Raises `locks.HeldError`, a filelock.Timeout, if another process or machine makes it.
        """
        with super().lock(key), contextlib.ExitStack() as stack:
            with self._guarded("written"):
                self.create()
                mine = stack.enter_context(self._claims.held(key))
            if not mine:
                raise HeldError(f"{self}/{layout.claim_object(key)}", alive=self._claims.alive(key))
            yield

    @cached_property
    def _claims(self) -> Claims:
        return Claims(self.objects, self._owner(), self.root / layout.LOCKS)

    def _owner(self) -> str:
        """A name of the local directory that no other has."""
        path = self.root / layout.COPY
        with self._guarded("written"):
            if not path.exists():
                write_whole(path, json.dumps({"url": self.url, "owner": secrets.token_hex(16)}).encode() + b"\n")
            return digest(read_document(path).decode(errors="replace"))

    def failure(self, key: str) -> dict[str, str] | None:
        """The failure recorded for a step by any machine, or None. A damaged record is deleted, with a warning."""
        if self._lists and key not in self._names(layout.FAILURES):
            return None
        data = self.objects.read(layout.failure_object(key))
        if data is None:
            return None
        with contextlib.suppress(ValueError, RecursionError):
            if is_failure(failure := json.loads(data)):
                return dict(failure)
        _log.warning("%s in %s is no record of a failure; it is deleted", layout.failure_object(key), self)
        self.forget_failure(key)
        return None

    def record_failure(self, key: str, kind: str, reason: str, detail: str) -> None:
        """Record why a step failed, for every machine."""
        self.create()
        record = {"kind": kind, "reason": reason, "detail": detail}
        self.objects.write(layout.failure_object(key), json.dumps(record, indent=1).encode() + b"\n")
        if layout.FAILURES in self._listed:
            self._listed[layout.FAILURES].add(key)

    def forget_failure(self, key: str) -> None:
        """Remove the failure of a step that has succeeded since. One that cannot be removed does no harm."""
        with contextlib.suppress(StoreError):
            self.objects.delete(layout.failure_object(key))
        self._listed.get(layout.FAILURES, set()).discard(key)


def copies_of(url: str) -> Path:
    """The local directory for a URL: below PRUNECTL_CACHE, else in the user's cache."""
    import platformdirs

    parent = os.environ.get("PRUNECTL_CACHE") or platformdirs.user_cache_dir("prunectl")
    return Path(parent) / "remote" / digest(url)[:16]


def _layout(marker: bytes) -> object:
    """What a marker has as the layout; None if it cannot be read."""
    try:
        return json.loads(marker)["layout"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
