"""Whatever is damaged or in the way in a store is set aside, reported, and made again; nothing is fatal for ever."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from faults import failing
from prunectl.base.errors import StoreError
from prunectl.base.keys import digest
from prunectl.store import layout
from prunectl.store.atomic import remove_tree
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import Made

MADE = Made(wall_s=1.5, cpu_s=1.0, peak_bytes=7, device="cpu", hardware="x", versions={"torch": "2"}, created="now")
PREIMAGE = '{"kind":"init"}'
KEY = digest(PREIMAGE)
SHARD = KEY[:2]


def put(store: LocalStore) -> None:
    with store.lock(KEY):
        store.make_way(KEY)
        with store.scratch() as out:
            (out / "a.json").write_text("[1, 2, 3]")
            (out / "b.bin").write_bytes(bytes(range(256)))
            (out / "b.bin").chmod(0o600)  # as safetensors leaves its files
            store.put(KEY, PREIMAGE, out, MADE)


def filled(root: Path) -> LocalStore:
    store = LocalStore(root / "store").open()
    put(store)
    return store


def a_directory(path: Path) -> None:
    path.mkdir()


def a_file(path: Path) -> None:
    path.write_text("x")


def a_link_loop(path: Path) -> None:
    path.symlink_to(path.name)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


ODD: list[Callable[[Path], None]] = [a_directory, a_link_loop, a_pipe]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["a.json", layout.MANIFEST])
def test_what_is_in_the_place_of_an_artefacts_file_is_damage(
    odd: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    store = filled(tmp_path)
    file = store.root / layout.OBJECTS / SHARD / KEY / name
    file.unlink()
    odd(file)
    if odd is a_link_loop and name == layout.MANIFEST:
        assert not store.has(KEY)
    else:
        with pytest.raises(DamagedError):
            store.fetch(KEY)
    assert not store.has(KEY)
    put(store)
    assert store.fetch(KEY)


IN_THE_WAY = [
    layout.OBJECTS, f"{layout.OBJECTS}/{SHARD}", f"{layout.OBJECTS}/{SHARD}/{KEY}", layout.SNAPSHOTS,
    f"{layout.SNAPSHOTS}/{SHARD}", f"{layout.SNAPSHOTS}/{SHARD}/{KEY}", layout.LOCKS, layout.SCRATCH, layout.ASIDE,
    layout.FAILURES, f"{layout.FAILURES}/{SHARD}",
]  # fmt: skip


@pytest.mark.parametrize("place", IN_THE_WAY)
def test_a_file_in_the_place_of_any_directory_is_set_aside(place: str, tmp_path: Path) -> None:
    store = filled(tmp_path)
    remove_tree(store.root / place)
    (store.root / place).parent.mkdir(exist_ok=True)
    a_file(store.root / place)
    store = LocalStore(store.root).open()
    assert store.failure(KEY) is None
    assert not store.under_way(KEY) or place.endswith(KEY)
    assert list(store.keys()) in ([], [KEY])
    store.require_writable()
    store.sweep()
    put(store)
    store.record_failure(KEY, "crash", "killed", "")
    assert store.fetch(KEY) and store.failure(KEY)
    store.snapshots(KEY).mkdir(exist_ok=True)


@pytest.mark.parametrize(
    "place", [f"{layout.LOCKS}/{KEY}.lock", f"{layout.FAILURES}/{SHARD}/{KEY}.json", layout.MARKER]
)
@pytest.mark.parametrize("odd", ODD)
def test_whatever_is_in_the_place_of_any_file_is_set_aside(
    place: str, odd: Callable[[Path], None], tmp_path: Path
) -> None:
    store = filled(tmp_path)
    remove_tree(store.root / place)
    (store.root / place).parent.mkdir(parents=True, exist_ok=True)
    if place.endswith(".lock") and odd is not a_directory:
        pytest.skip("what locks is somebody else's code, and a file of any kind will do")
    odd(store.root / place)
    store = LocalStore(store.root).open()
    assert store.failure(KEY) is None
    assert list(store.keys()) == [KEY]
    store.delete(KEY)
    put(store)
    store.record_failure(KEY, "crash", "killed", "")
    assert store.failure(KEY)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"layout": "1"}', b"\xff", b"[" * 100_000])
def test_a_damaged_marker_is_written_again(content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = filled(tmp_path)
    marker = store.root / layout.MARKER
    sound = marker.read_bytes()
    marker.write_bytes(content)
    assert list(LocalStore(store.root).open().keys()) == [KEY]
    assert marker.read_bytes() == sound
    assert "it names no layout; it has been set aside" in caplog.text


def test_files_among_the_artefacts_are_listed_once(tmp_path: Path) -> None:
    store = filled(tmp_path)
    a_file(store.root / layout.OBJECTS / "00")
    a_file(store.root / layout.OBJECTS / SHARD / (SHARD + "0" * 62))
    assert list(store.keys()) == [KEY]
    why = "a file in the place of a directory"
    assert {*store.misplaced()} == {("00", why, None), (SHARD + "0" * 62, why, None)}
    assert list(store.misplaced()) == []


def test_a_folder_that_another_process_makes_at_the_same_moment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, real = LocalStore(tmp_path / "s").open(), os.path.lexists

    def made_meanwhile(path: Path | str) -> bool:
        folder = Path(path)
        if folder.name == SHARD and folder.parent.name == layout.OBJECTS:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "of another process").touch()
        return real(path)

    monkeypatch.setattr("prunectl.store.directory.os.path.lexists", made_meanwhile)
    put(store)
    assert store.has(KEY) and "set aside" not in caplog.text
    assert (store.root / layout.OBJECTS / SHARD / "of another process").exists()


# --- a store that cannot be written ---


def damaged(store: LocalStore) -> None:
    file = store.root / layout.OBJECTS / SHARD / KEY / "a.json"
    file.chmod(0o644)
    file.write_text("[1, 2, 4]")


def test_damage_that_cannot_be_moved_is_reported_and_no_longer_used(tmp_path: Path) -> None:
    store = filled(tmp_path)
    damaged(store)
    with failing(store.root, errno.EROFS, at=1, lasting=True):
        with pytest.raises(DamagedError) as raised:
            store.read(KEY, "a.json")
        assert raised.value.fate == "it cannot be set aside (Read-only file system)"
        assert not store.has(KEY)
        assert list(store.keys()) == []
        with pytest.raises(KeyError):
            store.manifest(KEY)
    assert LocalStore(store.root).has(KEY), "it is where it was"


def test_a_damaged_record_that_cannot_be_moved_is_warned_about_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = filled(tmp_path)
    store.record_failure(KEY, "crash", "killed", "")
    (store.root / layout.FAILURES / SHARD / f"{KEY}.json").write_text("{}")
    with failing(store.root, errno.EROFS, at=1, lasting=True):
        for _ in range(3):
            assert store.failure(KEY) is None
    assert caplog.text.count("it cannot be set aside") == 1


def test_files_take_space_in_the_blocks_of_their_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network file system reports the size of its requests, a megabyte: no file takes that."""
    store = LocalStore(tmp_path)
    for reported, expected in ((1024, 1024), (4096, 4096), (1 << 20, 4096), (0, 4096)):
        monkeypatch.setattr(os, "statvfs", lambda path, size=reported: SimpleNamespace(f_frsize=size))
        assert store.block_bytes == expected


def test_a_store_is_opened_and_read_without_being_written(tmp_path: Path) -> None:
    filled(tmp_path)
    with failing(tmp_path / "store", errno.EROFS, at=1, lasting=True) as faults:
        store = LocalStore(tmp_path / "store").open()
        assert store.has(KEY) and store.fetch(KEY) and store.failure(KEY) is None and list(store.keys()) == [KEY]
        assert faults.count == 0
        with pytest.raises(StoreError, match="cannot be written: Read-only file system") as raised:
            store.require_writable()
    assert raised.value.exit_code == 4


@pytest.mark.parametrize("folder", [layout.OBJECTS, layout.LOCKS, layout.FAILURES, layout.SNAPSHOTS])
def test_every_folder_has_to_be_writable(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(tmp_path)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != folder and access(path, mode))
    with pytest.raises(StoreError, match="cannot be written: Permission denied"):
        store.require_writable()


def test_a_parent_folder_that_cannot_be_written_is_an_error_before_a_step_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != SHARD)
    with pytest.raises(StoreError, match="cannot be written"):
        store.make_way(KEY)


def test_what_cannot_be_deleted_is_one_message(tmp_path: Path) -> None:
    store = filled(tmp_path)
    for number, message in ((errno.EROFS, "cannot be written"), (errno.EIO, "failed")):
        with failing(store.root, number, at=1, lasting=True), pytest.raises(StoreError, match=message):
            store.delete(KEY)
        assert store.fetch(KEY)


# --- sharing ---


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_all_of_a_store_follows_the_umask(umask: int, tmp_path: Path) -> None:
    old = os.umask(umask)
    try:
        store = filled(tmp_path)
        store.record_failure(KEY, "crash", "killed", "")
        damaged(store)
        with pytest.raises(DamagedError):
            store.fetch(KEY)
        put(store)
        with store.lock("ab"):
            pass
    finally:
        os.umask(old)
    for path in store.root.rglob("*"):
        mode = path.stat().st_mode & 0o777
        if path.is_dir():
            assert mode == 0o777 & ~umask, path
        elif path.is_relative_to(store.root / layout.OBJECTS):
            assert mode == 0o444 & ~umask, path
        elif layout.ASIDE not in path.parts:
            assert mode == 0o666 & ~umask, path


def test_the_group_of_a_shared_directory_is_inherited(tmp_path: Path) -> None:
    root = tmp_path / "store"
    root.mkdir()
    root.chmod(0o2775)
    if not (root.stat().st_mode & 0o2000):
        pytest.skip("this file system has no groups to inherit")
    store = filled(tmp_path)
    assert store.fetch(KEY).stat().st_mode & 0o2000


# --- drafts ---


def test_a_sweep_takes_the_drafts_of_the_dead(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.record_failure(KEY, "crash", "killed", "")
    snapshots = store.snapshots(KEY)
    snapshots.mkdir(parents=True, exist_ok=True)
    left = [
        store.root / f".{layout.MARKER}.7-0123abcd", store.root / layout.FAILURES / SHARD / f".{KEY}.json.77",
        snapshots / ".progress.json.7-0123abcd", snapshots / ".tmpAb12xY",
    ]  # fmt: skip
    for path in left:
        path.write_text("half")
    store.sweep()
    assert all(path.exists() for path in left), "they may be in use"
    store.sweep(older_than_s=0)
    assert not any(path.exists() for path in left)
    assert store.failure(KEY) and store.fetch(KEY)


def test_new_directories_of_an_artefact_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    fsync = os.fsync

    def recorded(handle: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{handle}").readlink().relative_to(tmp_path)))
        fsync(handle)

    store = LocalStore(tmp_path / "store").open()
    monkeypatch.setattr(os, "fsync", recorded)
    put(store)
    store.record_failure(KEY, "crash", "killed", "")
    assert flushed.index(f"store/{layout.OBJECTS}") < flushed.index(f"store/{layout.OBJECTS}/{SHARD}")
    assert {"store", f"store/{layout.FAILURES}", f"store/{layout.FAILURES}/{SHARD}"} <= set(flushed)


def test_a_disk_that_fails_to_flush_a_new_artefact_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The artefact is in its place, but a power cut may lose it."""
    store = LocalStore(tmp_path / "store").open()

    def failed(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr("prunectl.store.local.sync_directory", failed)
    with pytest.raises(StoreError, match="failed"):
        put(store)
