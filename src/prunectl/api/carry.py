"""Carrying artefacts from one store to another: in one file, or directly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prunectl.api.cache import verify

if TYPE_CHECKING:
    from prunectl.api.session import Session
    from prunectl.store.local import LocalStore

COPIES = 8
"""Artefacts that are copied at once."""


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


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What was copied from one store to another. `needed` counts the steps that were asked for."""

    copied: list[str]
    present: list[str]
    """Artefacts that the other store had already."""
    damaged: dict[str, str]
    """Artefacts that were refused, with the reason."""
    needed: int
    size_bytes: int
    """Of what was copied."""

    @property
    def missing(self) -> int:
        """Steps without an artefact."""
        return self.needed - len(self.copied) - len(self.present) - len(self.damaged)


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

    store.create()
    imported, present = unpack.read(file, store)
    return Taken(imported=imported, present=present)


def copy(source: LocalStore, target: LocalStore, studies: Iterable[Session] | None = None) -> Copied:
    """Copy the artefacts that studies need from one store to another; all artefacts, if no study is given.

    Every byte is verified; damaged artefacts are set aside and not copied, and those that the target has are left
    alone. Raises StoreError; what was copied until then is complete, and the next attempt skips it.
    """
    source.refresh()
    target.create()
    target.refresh()
    needed = set(source.keys()) if studies is None else {key for session in studies for key in session.plan.steps}
    present = sorted(filter(target.has, needed))
    wanted = sorted(filter(source.has, needed.difference(present)))
    copied, damaged = {}, {}
    with ThreadPoolExecutor(COPIES) as pool:
        for key, (size_bytes, why) in zip(wanted, pool.map(_copying(source, target), wanted), strict=True):
            if size_bytes is not None:
                copied[key] = size_bytes
            elif why is not None:
                damaged[key] = why
    return Copied(
        copied=list(copied),
        present=present,
        damaged=damaged,
        needed=len(needed),
        size_bytes=sum(copied.values()),
    )


def _copying(source: LocalStore, target: LocalStore) -> Callable[[str], tuple[int | None, str | None]]:
    """Copies one artefact; gives its size, or why it is damaged, or neither if it was deleted meanwhile."""
    from prunectl.store.local import DamagedError

    def copy_one(key: str) -> tuple[int | None, str | None]:
        try:
            return target.receive(source, key).size_bytes, None
        except DamagedError as error:
            return None, f"{error.why}; {error.fate}"
        except KeyError:
            return None, None

    return copy_one
