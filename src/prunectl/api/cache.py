"""Looking into the store, verifying it, deleting what no study needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from prunectl.api.results import warn_in_log
from prunectl.base.errors import PrunectlError, StoreError

if TYPE_CHECKING:
    from prunectl.api.results import Warn
    from prunectl.api.session import Session
    from prunectl.store.local import LocalStore


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """One artefact in a listing. `created` is UTC in ISO 8601."""

    key: str
    kind: str
    size_bytes: int
    wall_s: float
    created: str


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The artefacts whose every byte is as it was written, and the damaged ones, with the reason."""

    sound: list[str] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    """Of the damaged ones those that cannot be set aside, with the reason."""

    def lines(self) -> Iterator[str]:
        """The damaged artefacts, what is wrong with each, and what was done about it."""
        for key, why in self.damaged.items():
            fate = f"it cannot be set aside ({self.kept[key]})" if key in self.kept else "set aside"
            yield f"{key[:16]}: {why}; {fate}"


@dataclass(frozen=True, kw_only=True)
class Collected:
    """The artefacts that no study needs, and their size."""

    keys: list[str]
    size_bytes: int


def artefacts(store: LocalStore, *, warn: Warn = warn_in_log) -> Iterator[Artefact]:
    """Every artefact, by key."""
    from prunectl.store.local import DamagedError

    for key in list(store.keys()):
        try:
            manifest = store.manifest(key)
        except DamagedError as error:
            warn(f"{error}; {error.fate}")
            continue
        except KeyError:
            continue  # another process has deleted it
        yield Artefact(
            key=key,
            kind=manifest.kind,
            size_bytes=manifest.size_bytes,
            wall_s=manifest.made.wall_s,
            created=manifest.made.created,
        )


def described(store: LocalStore, prefix: str) -> dict[str, Any]:
    """The manifest of the one artefact whose key begins so, its pre-image, and its place.

    Raises PrunectlError, a StoreError if the artefact is damaged.
    """
    from prunectl.store.local import DamagedError

    keys = [key for key in store.keys() if key.startswith(prefix.lower())]  # noqa: SIM118  # a store is not a dict
    if len(keys) != 1:
        hint = "`prunectl cache ls` lists the keys"
        raise PrunectlError(f"{len(keys) or 'no'} artefacts begin with {prefix!r}", hint=hint)
    try:
        manifest = store.manifest(keys[0])
        path = str(store.fetch(keys[0]))
    except DamagedError as error:
        raise StoreError(f"{error}; {error.fate}", hint="the next run that needs it recomputes it") from error
    return {**asdict(manifest), "preimage": json.loads(manifest.preimage), "path": path}


def verify(store: LocalStore, keys: Iterable[str] | None = None) -> Verified:
    """Check every byte of every artefact, or of those of `keys` that exist. Damaged artefacts are set aside."""
    from prunectl.store.local import DamagedError

    verified = Verified()
    for key in sorted(store.keys() if keys is None else keys):
        try:
            store.fetch(key)
        except KeyError:
            continue
        except DamagedError as error:
            _note(verified, key, error.why, error.kept)
        else:
            verified.sound.append(key)
    for name, why, kept in store.misplaced() if keys is None else ():
        _note(verified, name, why, kept)
    return verified


def _note(verified: Verified, key: str, why: str, kept: str | None) -> None:
    verified.damaged[key] = why
    if kept is not None:
        verified.kept[key] = kept


def collect(store: LocalStore, keep: Iterable[Session], *, dry_run: bool = False) -> Collected:
    """Delete every artefact that none of the studies needs, and what was set aside; with `dry_run`, only list them."""
    from prunectl.store import layout
    from prunectl.store.atomic import remove_tree

    needed = {key for session in keep for key in session.plan.steps}
    keys = [key for key in store.keys() if key not in needed]  # noqa: SIM118
    size_bytes = sum(store.size_bytes(key) for key in keys)
    if not dry_run:
        for key in keys:
            store.delete(key)
            remove_tree(store.snapshots(key))
        remove_tree(store.root / layout.ASIDE)
    return Collected(keys=keys, size_bytes=size_bytes)
