"""What no run needs any more: artefacts, and what else lies in a store."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from prunectl.store import layout
from prunectl.store.atomic import remove_tree
from prunectl.store.disk import store_error
from prunectl.store.local import LocalStore, document_of

HOUR_S = 3600.0
"""Younger things are spared: a run that has not been recorded yet may need them."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file or directory of a store. `key` is the step that it belongs to; None for what belongs to none."""

    kind: str
    """For an artefact the kind of its step, else "snapshots", "failures", "locks", ..."""
    path: Path
    size_bytes: int
    key: str | None = None
    artefact: bool = False


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """What can be deleted, and the number of things that only their youth protects."""

    items: tuple[Item, ...]
    spared: int = 0

    @property
    def keys(self) -> list[str]:
        """The artefacts."""
        return [item.key for item in self.items if item.artefact and item.key is not None]

    @property
    def size_bytes(self) -> int:
        """The size of everything together."""
        return sum(item.size_bytes for item in self.items)


def with_resumed(store: LocalStore, keys: Collection[str]) -> set[str]:
    """The keys, and the earlier states that their trainings resumed from: the time of a training is read there."""
    needed = set(keys)
    stack = list(needed)
    while stack:
        resume = document_of(layout.sharded(store.root, layout.OBJECTS, stack.pop())).get("made", {}).get("resume")
        if resume and resume not in needed:
            needed.add(resume)
            stack.append(resume)
    return needed


def garbage(store: LocalStore, needed: Collection[str], *, older_than_s: float = HOUR_S) -> Garbage:
    """What none of the `needed` keys needs and was last changed more than `older_than_s` ago."""
    now = time.time()
    items: list[Item] = []
    spared = 0
    for item in [*artefacts(store), *others(store)]:
        if _wanted(store, item, needed):
            continue
        if now - _changed(item.path) > older_than_s:
            items.append(item)
        else:
            spared += 1
    return Garbage(items=tuple(items), spared=spared)


def _wanted(store: LocalStore, item: Item, needed: Collection[str]) -> bool:
    """Whether a needed step needs the item. One whose artefact is complete needs nothing else, but keeps its log."""
    return item.key in needed and (item.artefact or item.kind == layout.LOGS or not store.has(item.key or ""))


def _changed(path: Path) -> float:
    """When a file or directory was changed last, in seconds; the far future if it is gone, so that it is spared."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return float("inf")


def artefacts(store: LocalStore) -> Iterator[Item]:
    """Every artefact, sound or not. Its kind is "incomplete" for the rest of one whose deletion was interrupted."""
    for home in _sharded(store, layout.OBJECTS):
        manifest = document_of(home)
        yield Item(kind=_kind(manifest), path=home, size_bytes=_size(home), key=home.name, artefact=True)


def _kind(manifest: dict[str, Any]) -> str:
    try:
        return str(json.loads(manifest["preimage"])["kind"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "incomplete"


def others(store: LocalStore) -> Iterator[Item]:
    """Everything in a store that is neither an artefact nor a recorded run."""
    for path in _sharded(store, layout.SNAPSHOTS):
        yield Item(kind="snapshots", path=path, size_bytes=_size(path), key=path.name)
    for path in _sharded(store, layout.FAILURES):
        yield Item(kind="failures", path=path, size_bytes=_size(path), key=path.stem)
    for path in _sharded(store, layout.LOGS):
        yield Item(kind="logs", path=path, size_bytes=_size(path), key=path.stem)
    for path in _entries(store.root / layout.LOCKS):
        yield Item(kind="locks", path=path, size_bytes=_size(path), key=path.name.partition(".")[0])
    for path in _entries(store.root / layout.SCRATCH):
        yield Item(kind="scratch", path=path, size_bytes=_size(path))
    for path in _entries(store.root / layout.ASIDE):
        yield Item(kind="set aside", path=path, size_bytes=_size(path))
    for path in _drafts(store):
        yield Item(kind="drafts", path=path, size_bytes=_size(path))


def delete(store: LocalStore, found: Garbage, needed: Callable[[], Collection[str]]) -> Garbage:
    """Delete items, but not what a run has come to need in the meantime, nor what a process holds the lock of.

    Returns what was deleted. Raises StoreError.
    """
    deleted = []
    for item in found.items:
        if _wanted(store, item, needed()):
            continue
        try:
            _delete(store, item)
        except filelock.Timeout:
            continue
        except OSError as error:
            raise store_error(error, store.root) from error
        if not os.path.lexists(item.path):
            deleted.append(item)
    return Garbage(items=tuple(deleted), spared=found.spared)


def _delete(store: LocalStore, item: Item) -> None:
    """Raises filelock.Timeout if a process is at work on the step that the item belongs to."""
    if item.artefact and item.key is not None:
        store.delete(item.key)
    elif item.kind in ("snapshots", "locks") and item.key is not None:
        with store.lock(item.key):
            remove(item.path)
            store.forget_lock(item.key)
    elif item.kind == "scratch":
        store.sweep()
    else:
        remove(item.path)


def remove(path: Path) -> None:
    """Remove a file or a directory; a missing one is no error."""
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def _sharded(store: LocalStore, folder: str) -> Iterator[Path]:
    """The entries of ROOT/FOLDER/ab/, drafts left out."""
    for shard in _entries(store.root / folder):
        yield from _entries(shard)


def _entries(folder: Path) -> Iterator[Path]:
    """What a directory holds, sorted, drafts left out; nothing if it does not exist."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  # names are sorted faster than paths
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (folder / name for name in names if not name.startswith("."))


def _drafts(store: LocalStore) -> Iterator[Path]:
    """The drafts that writers left when they were killed."""
    folders = [
        store.root,
        store.root / layout.RUNS,
        *_entries(store.root / layout.FAILURES),
        *_entries(store.root / layout.LOGS),
        *_sharded(store, layout.SNAPSHOTS),
    ]
    for folder in folders:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            yield from sorted(path for path in folder.iterdir() if path.name.startswith(".") and path.is_file())


def _size(path: Path) -> int:
    """The bytes of a file, or of all files below a directory; what vanishes meanwhile is not counted."""
    files = [path]
    if path.is_dir() and not path.is_symlink():
        files = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.lstat().st_size
    return total
