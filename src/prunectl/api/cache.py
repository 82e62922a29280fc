"""Looking into the store, verifying it, deleting what no run needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from prunectl.api.damage import warn_in_log
from prunectl.base.errors import PrunectlError, StoreError

if TYPE_CHECKING:
    from prunectl.api.damage import Warn
    from prunectl.api.session import Session
    from prunectl.store.collect import Garbage, Item
    from prunectl.store.local import LocalStore
    from prunectl.store.runs import Run


@dataclass(frozen=True, kw_only=True)
class Use:
    """What an artefact is in a recorded run."""

    study: str
    run: str
    step: str
    """In words, with arm, sparsity and seed: 'train snip, 90 %, seed 1'. Empty where the record does not have it."""


def uses(store: LocalStore) -> dict[str, list[Use]]:
    """By key what artefacts are in recorded runs. Records that cannot be read are left out."""
    from prunectl.store.runs import read

    found: dict[str, list[Use]] = {}
    for run in read(store.root).runs:
        for key in run.keys:
            found.setdefault(key, []).append(Use(study=run.caption.name, run=run.id, step=run.names.get(key, "")))
    return found


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """One artefact in a listing. `created` is UTC in ISO 8601."""

    key: str
    kind: str
    size_bytes: int
    wall_s: float
    created: str
    used_by: list[Use]
    """The recorded runs that need it, the latest last."""


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


def artefacts(store: LocalStore, *, warn: Warn = warn_in_log) -> Iterator[Artefact]:
    """Every artefact, by key."""
    from prunectl.store.local import DamagedError

    keys, used_by = list(store.keys()), uses(store)
    store.prefetch(keys)
    for key in keys:
        try:
            manifest = store.manifest(key)
        except KeyError:
            continue  # deleted since it was listed
        except DamagedError as error:
            warn(f"{error}; {error.fate}")
            continue
        yield Artefact(
            key=key,
            kind=manifest.kind,
            size_bytes=manifest.size_bytes,
            wall_s=manifest.made.wall_s,
            created=manifest.made.created,
            used_by=used_by.get(key, []),
        )


def described(store: LocalStore, prefix: str) -> dict[str, Any]:
    """The manifest of the one artefact whose key begins so, what it is in recorded runs, its pre-image, its place.

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
    used_by = [asdict(use) for use in uses(store).get(keys[0], [])]
    return {**asdict(manifest), "used_by": used_by, "preimage": json.loads(manifest.preimage), "path": path}


def verify(store: LocalStore, keys: Iterable[str] | None = None) -> Verified:
    """Check every byte of every artefact, or of those of `keys` that exist. Damaged artefacts are set aside."""
    from prunectl.store.local import DamagedError

    verified = Verified()
    look = store.check if keys is None else store.fetch
    for key in sorted(store.keys() if keys is None else keys):
        try:
            look(key)
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


def collectable(store: LocalStore, keep: Iterable[Session] = (), *, older_than_s: float | None = None) -> Garbage:
    """What neither a recorded run nor one of the studies needs. Raises PrunectlError if that cannot be known."""
    from prunectl.store.collect import HOUR_S, garbage

    if store.url is not None:
        raise PrunectlError(
            f"what the store {store} holds may be needed by runs that only other machines have recorded",
            hint="`prunectl cache rm KEY --store URL` deletes an artefact; the copies on this machine are collected by "
            f"`prunectl cache gc --store {store.root}`",
        )
    return garbage(store, wanted(store, keep), older_than_s=HOUR_S if older_than_s is None else older_than_s)


def collect(store: LocalStore, found: Garbage, keep: Iterable[Session] = ()) -> Garbage:
    """Delete what was found, but not what a run that was recorded meanwhile needs; what was deleted.

    Raises PrunectlError, StoreError.
    """
    from prunectl.store.collect import delete
    from prunectl.store.runs import stamp

    keep = list(keep)
    known: dict[int, set[str]] = {}

    def needed() -> set[str]:
        if (now := stamp(store.root)) not in known:
            known.clear()
            known[now] = wanted(store, keep)
        return known[now]

    return delete(store, found, needed)


def wanted(store: LocalStore, keep: Iterable[Session]) -> set[str]:
    """The keys that recorded runs or studies need. Raises PrunectlError if there are none, or not all are readable."""
    from prunectl.store.collect import with_resumed
    from prunectl.store.runs import read

    keep, recorded = list(keep), read(store.root)
    for id_, why in recorded.unreadable.items():
        raise PrunectlError(
            f"the record of run {id_} in {store} cannot be read ({why}), so what it needs is not known",
            hint=f"forget it with `prunectl cache rm {id_}`, or run its study again",
        )
    if not keep and not recorded.runs:
        raise PrunectlError(
            f"no run is recorded in {store} and no study is named: everything would be deleted",
            hint="name the studies to keep, or run them again, which records them; to delete all, delete the directory",
        )
    return with_resumed(store, recorded.keys | {key for session in keep for key in session.plan.steps})


def others(store: LocalStore) -> list[Item]:
    """What a store holds besides artefacts and recorded runs: snapshots, failures, locks, scratch, ..."""
    from prunectl.store.collect import others

    return list(others(store))


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What `cache rm` removes: records of runs, and artefacts with what depends on each."""

    runs: list[Run]
    unreadable: list[str]
    """Records of runs that cannot be read."""
    keys: list[str]
    children: dict[str, list[str]]
    """For each artefact those that were made from it."""
    needed_by: dict[str, list[Run]]
    """For each artefact the recorded runs that need it."""


def removal(store: LocalStore, names: Iterable[str]) -> Removal:
    """What runs and keys, or beginnings of them, mean. Raises PrunectlError for what means nothing, or several."""
    from prunectl.store.runs import read

    recorded = read(store.root)
    ids, keys = [*(run.id for run in recorded.runs), *recorded.unreadable], list(store.keys())
    chosen = list(dict.fromkeys(_meant(name, ids, keys) for name in names))
    removed = [name for name in chosen if name in keys]
    if removed:
        store.prefetch(keys)
    preimages = {key: store.preimage(key) for key in keys} if removed else {}
    return Removal(
        runs=[run for run in recorded.runs if run.id in chosen],
        unreadable=[id_ for id_ in recorded.unreadable if id_ in chosen],
        keys=removed,
        children={key: [other for other, text in preimages.items() if key in text] for key in removed},
        needed_by={key: [run for run in recorded.runs if key in run.keys] for key in removed},
    )


def _meant(name: str, ids: list[str], keys: list[str]) -> str:
    """The one run or artefact whose name begins so."""
    begun = [found for found in [*ids, *keys] if name and found.startswith(name.lower())]
    if len(begun) != 1:
        hint = "`prunectl cache runs` lists the runs, `prunectl cache ls` the artefacts"
        raise PrunectlError(f"{len(begun) or 'no'} runs and artefacts begin with {name!r}", hint=hint)
    return begun[0]


def remove(store: LocalStore, chosen: Removal) -> None:
    """Forget the runs and delete the artefacts. Raises StoreError."""
    from prunectl.store.disk import store_error
    from prunectl.store.runs import forget

    for id_ in [*(run.id for run in chosen.runs), *chosen.unreadable]:
        forget(store.root, id_)
    for key in chosen.keys:
        try:
            store.delete(key)
        except OSError as error:
            raise store_error(error, store.root) from error
