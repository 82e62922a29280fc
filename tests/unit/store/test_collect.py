"""What can be deleted of a store: everything that nobody needs, nothing that is young or in use."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from prunectl.base.keys import canonical, digest
from prunectl.store import collect, layout
from prunectl.store.aside import set_aside
from prunectl.store.collect import Garbage, garbage, with_resumed
from prunectl.store.local import LocalStore
from prunectl.store.manifest import Made

MADE = Made(wall_s=1, cpu_s=1, peak_bytes=7, device="cpu", hardware="x", versions={}, created="now")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store").create()


def put(store: LocalStore, name: str, resume: str | None = None) -> str:
    """An artefact of 3 bytes; its key."""
    preimage = canonical({"kind": "train", "name": name})
    key = digest(preimage)
    with store.scratch() as out:
        (out / "a.bin").write_bytes(b"abc")
        made = Made(**{**vars(MADE), "resume": resume})
        store.put(key, preimage, out, made)
    return key


def littered(store: LocalStore, key: str) -> None:
    """Everything that can lie in a store next to artefacts, a bit of each, for a step."""
    store.snapshots(key).mkdir(parents=True)
    (store.snapshots(key) / "4.safetensors").write_bytes(b"12345")
    (store.snapshots(key) / ".progress.json.77").write_bytes(b"1")
    store.record_failure(key, "crash", "x", "")
    (store.root / layout.LOCKS / f"{key}.lock").touch()
    (store.root / layout.SCRATCH / "tmpabc").mkdir()
    damaged = put(store, "damaged")
    set_aside(store.root, layout.sharded(store.root, layout.OBJECTS, damaged), "why")
    (store.root / layout.FAILURES / key[:2] / f".{key}.json.77").touch()
    (store.root / ".prunectl-store.json.77").touch()


def age(root: Path) -> None:
    then = time.time() - 2 * collect.HOUR_S
    for folder, _, files in os.walk(root, topdown=False):
        for path in [*(Path(folder, name) for name in files), Path(folder)]:
            os.utime(path, (then, then))


def kinds(found: Garbage) -> list[str]:
    return sorted(item.kind for item in found.items)


ALL = ["drafts", "drafts", "drafts", "failures", "locks", "scratch", "set aside", "snapshots"]


def test_everything_that_nobody_needs_is_deleted(store: LocalStore) -> None:
    littered(store, key := digest("x"))
    put(store, "unneeded")
    age(store.root)
    found = garbage(store, set())
    assert kinds(found) == [*ALL, "train"]
    assert next(item for item in found.items if item.kind == "snapshots").size_bytes == 6
    deleted = collect.delete(store, found, set)
    assert kinds(deleted) == kinds(found) or set(kinds(found)) - set(kinds(deleted)) <= {"drafts"}
    assert list(collect.artefacts(store)) == [] and list(collect.others(store)) == []
    assert store.failure(key) is None and not store.under_way(key)
    assert LocalStore(store.root).open().root == store.root


def test_what_a_needed_step_has_left_is_kept(store: LocalStore) -> None:
    littered(store, key := digest("x"))
    needed = put(store, "needed")
    age(store.root)
    left = garbage(store, {key, needed})
    assert kinds(left) == ["drafts", "drafts", "drafts", "scratch", "set aside"]


def test_a_snapshot_of_a_finished_training_is_not_kept(store: LocalStore) -> None:
    key = put(store, "needed")
    store.snapshots(key).mkdir(parents=True)
    age(store.root)
    assert kinds(garbage(store, {key})) == ["snapshots"]


def test_the_log_of_a_needed_step_is_kept_and_any_other_is_not(store: LocalStore) -> None:
    kept, deleted, unknown = put(store, "kept"), put(store, "deleted"), "f" * 64
    for key in (kept, deleted, unknown):
        store.keep_log(key, b"printed")
    old = garbage(store, {kept}, older_than_s=-1)
    assert {(item.kind, item.key) for item in old.items} == {("train", deleted), ("logs", deleted), ("logs", unknown)}
    collect.delete(store, old, lambda: {kept})
    assert [store.log(key).exists() for key in (kept, deleted, unknown)] == [True, False, False]


def test_what_is_young_is_spared(store: LocalStore) -> None:
    littered(store, digest("x"))
    put(store, "unneeded")
    found = garbage(store, set())
    assert (found.items, found.spared) == ((), len(ALL) + 1)


def test_what_a_process_works_on_is_left(store: LocalStore) -> None:
    littered(store, key := digest("x"))
    age(store.root)
    with LocalStore(store.root).lock(key):
        deleted = collect.delete(store, garbage(store, set()), set)
        assert store.under_way(key)
    assert not {"locks", "snapshots"} & set(kinds(deleted))


def test_the_rest_of_an_artefact_whose_deletion_was_interrupted_is_deleted(store: LocalStore) -> None:
    key = put(store, "x")
    (store.root / layout.OBJECTS / key[:2] / key / layout.MANIFEST).unlink()
    age(store.root)
    found = garbage(store, set())
    assert kinds(found) == ["incomplete"]
    collect.delete(store, found, set)
    assert list(collect.artefacts(store)) == []


def test_what_is_needed_by_now_is_not_deleted(store: LocalStore) -> None:
    key = put(store, "x")
    age(store.root)
    found = garbage(store, set())
    assert collect.delete(store, found, lambda: {key}).items == ()
    assert store.has(key)


def test_what_a_training_resumed_from_is_needed_for_its_time(store: LocalStore) -> None:
    first = put(store, "first")
    second = put(store, "second", resume=first)
    third = put(store, "third", resume=second)
    assert with_resumed(store, {third}) == {first, second, third}
    assert with_resumed(store, {first, "0" * 64}) == {first, "0" * 64}


def test_a_damaged_manifest_is_neither_read_nor_set_aside(store: LocalStore) -> None:
    key = put(store, "x")
    manifest = store.root / layout.OBJECTS / key[:2] / key / layout.MANIFEST
    manifest.chmod(0o644)
    manifest.write_text("[]")
    assert [item.kind for item in collect.artefacts(store)] == ["incomplete"]
    assert manifest.exists()
