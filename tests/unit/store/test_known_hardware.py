"""Hardware of artefacts is noted once, and a note is used only while its manifest is as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from prunectl.base.keys import digest
from prunectl.store import layout
from prunectl.store.hardware import HardwareClass
from prunectl.store.known_hardware import KnownHardware
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import Made, Manifest

MADE = Made(wall_s=1, cpu_s=1, peak_bytes=7, device="cpu", hardware="x", versions={}, created="now", threads=1)
PREIMAGES = [f'{{"kind":"init","seed":{seed}}}' for seed in range(3)]
KEYS = [digest(preimage) for preimage in PREIMAGES]
ONE, TWO = HardwareClass(device="cpu", threads=1), HardwareClass(device="cpu", threads=2)


def put(store: LocalStore, preimage: str, threads: int) -> None:
    with store.scratch() as out:
        (out / "a.json").write_text("1")
        store.put(digest(preimage), preimage, out, replace(MADE, threads=threads))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store").open()
    for preimage, threads in zip(PREIMAGES, (1, 1, 2), strict=True):
        put(store, preimage, threads)
    return store


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys whose manifests are read from now on."""
    keys: list[str] = []
    read: Callable[[LocalStore, str], Manifest] = LocalStore.manifest

    def noting(store: LocalStore, key: str) -> Manifest:
        keys.append(key)
        return read(store, key)

    monkeypatch.setattr(LocalStore, "manifest", noting)
    return keys


def test_each_manifest_is_read_once_even_by_another_process(store: LocalStore, reads: list[str]) -> None:
    assert store.hardware(KEYS) == {ONE: 2, TWO: 1}
    assert reads == KEYS
    assert LocalStore(store.root).hardware(KEYS) == {ONE: 2, TWO: 1}
    assert reads == KEYS


def test_an_artefact_that_was_made_again_is_read_again(store: LocalStore, reads: list[str]) -> None:
    store.hardware(KEYS)
    store.delete(KEYS[0])
    put(store, PREIMAGES[0], threads=2)
    assert store.hardware(KEYS) == {TWO: 2, ONE: 1}
    assert reads == [*KEYS, KEYS[0]]


def test_a_key_without_artefact_is_left_out_and_its_note_forgotten(store: LocalStore) -> None:
    store.hardware(KEYS[:2])
    store.delete(KEYS[0])
    assert store.hardware(KEYS) == {ONE: 1, TWO: 1}
    assert KEYS[0] not in (store.root / layout.HARDWARE).read_text()


@pytest.mark.parametrize("kept", [b"", b"x\n{}", b"\xff", b"0" * 64 + b"\n[]", None])
def test_damaged_notes_cost_only_time(store: LocalStore, kept: bytes | None) -> None:
    store.hardware(KEYS)
    file = store.root / layout.HARDWARE
    file.write_bytes(file.read_bytes().replace(b'"cpu",1', b'"cpu",8') if kept is None else kept)
    assert store.hardware(KEYS) == {ONE: 2, TWO: 1}
    assert len(KnownHardware(store.root)._notes) == len(KEYS)


def test_a_store_without_room_for_notes_is_read_each_time(
    store: LocalStore, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("prunectl.store.known_hardware.write_whole", full)
    assert store.hardware(KEYS) == store.hardware(KEYS) == {ONE: 2, TWO: 1}
    assert reads == KEYS * 2


def test_a_damaged_manifest_is_not_noted(store: LocalStore) -> None:
    manifest = Path(layout.place(store.root, layout.OBJECTS, KEYS[0], f"{os.sep}{layout.MANIFEST}"))
    manifest.chmod(0o644)
    manifest.write_text("{}")
    with pytest.raises(DamagedError):
        store.hardware(KEYS)
    assert store.hardware(KEYS) == {ONE: 1, TWO: 1}
