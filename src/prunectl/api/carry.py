"""Carrying artefacts from one machine's store to another's, in one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.api.cache import verify

if TYPE_CHECKING:
    from prunectl.api.session import Session
    from prunectl.store.local import LocalStore


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What went into an archive. `needed` counts the steps that were asked for."""

    keys: list[str]
    needed: int
    damaged: dict[str, str]
    size_bytes: int

    @property
    def missing(self) -> int:
        """Steps without a sound artefact."""
        return self.needed - len(self.keys)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The artefacts of an archive: those that were new to the store, and those that it had."""

    imported: list[str]
    present: list[str]


def pack(file: Path, store: LocalStore, studies: Iterable[Session] | None = None) -> Packed:
    """Write the artefacts that studies need to an archive; all artefacts, if no study is given.

    Every byte is verified; damaged artefacts are set aside and left out. Raises PrunectlError.
    """
    from prunectl.store import archive

    archive.check_suffix(file)
    needed = set(store.keys()) if studies is None else {key for session in studies for key in session.plan.steps}
    verified = verify(store, needed)
    archive.write(file, store, verified.sound)
    return Packed(keys=verified.sound, needed=len(needed), damaged=verified.damaged, size_bytes=file.stat().st_size)


def take(file: Path, store: LocalStore) -> Taken:
    """Take the artefacts of an archive into the store, each verified. Raises ArchiveError, and takes nothing then."""
    from prunectl.store import unpack

    imported, present = unpack.read(file, store)
    return Taken(imported=imported, present=present)
