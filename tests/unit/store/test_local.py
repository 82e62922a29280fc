"""An artefact is complete or absent, and every read verifies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prunectl.base.errors import StoreError
from prunectl.base.keys import digest
from prunectl.store import layout
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import Made

MADE = Made(wall_s=1.5, cpu_s=1.0, peak_bytes=7, device="cpu", hardware="x", versions={"torch": "2"}, created="now")
PREIMAGE = '{"kind":"init"}'
KEY = digest(PREIMAGE)


def filled(root: Path) -> LocalStore:
    store = LocalStore(root / "store").open()
    with store.scratch() as out:
        (out / "a.json").write_text("[1, 2, 3]")
        (out / "b.bin").write_bytes(bytes(range(256)))
        store.put(KEY, PREIMAGE, out, MADE)
    return store


def test_what_is_put_is_there_whole_and_read_only(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert store.has(KEY)
    assert store.read(KEY, "a.json") == b"[1, 2, 3]"
    assert store.manifest(KEY).made == MADE
    assert list(store.keys()) == [KEY]
    assert (store.fetch(KEY) / "b.bin").stat().st_mode & 0o222 == 0
    assert list((store.root / layout.SCRATCH).iterdir()) == []


@given(st.sampled_from(["a.json", "b.bin", "manifest.json"]), st.floats(0, 0.999), st.integers(0, 7))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_bit_is_found_and_set_aside(
    tmp_path_factory: pytest.TempPathFactory, name: str, place: float, bit: int
) -> None:
    store = filled(tmp_path_factory.mktemp("flip"))
    file = store.root / layout.OBJECTS / KEY[:2] / KEY / name
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    file.chmod(0o644)
    file.write_bytes(content)
    with pytest.raises(DamagedError):
        store.fetch(KEY)
    assert not store.has(KEY)
    assert list((store.root / layout.ASIDE).iterdir())


def test_what_is_read_is_what_was_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is read once: no other process can change it between the check and the use."""
    store = filled(tmp_path)
    opened: list[str] = []
    open_file = os.open

    def recorded(path: Path, *arguments: int) -> int:
        opened.append(Path(path).name)
        return open_file(path, *arguments)

    monkeypatch.setattr(os, "open", recorded)
    assert store.read(KEY, "b.bin") == bytes(range(256))
    assert opened == [layout.MANIFEST, "b.bin"]


def test_a_caller_that_has_the_manifest_does_not_read_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(tmp_path)
    manifest = store.manifest(KEY)
    monkeypatch.setattr(store, "manifest", lambda key: pytest.fail("read again"))
    assert store.read(KEY, "a.json", manifest) == b"[1, 2, 3]"


def missing(file: Path) -> None:
    file.unlink()


def changed(file: Path) -> None:
    file.chmod(0o644)
    file.write_bytes(b"other")


@pytest.mark.parametrize("damage", [missing, changed])
@pytest.mark.parametrize("whole", [True, False], ids=["fetch", "read"])
def test_a_file_that_is_missing_or_changed_is_damage_for_every_reader(
    damage: Callable[[Path], None], whole: bool, tmp_path: Path
) -> None:
    store = filled(tmp_path)
    damage(store.root / layout.OBJECTS / KEY[:2] / KEY / "b.bin")
    with pytest.raises(DamagedError, match=r"b\.bin is not what was written"):
        store.fetch(KEY) if whole else store.read(KEY, "b.bin")
    assert not store.has(KEY)
    (aside,) = (store.root / layout.ASIDE).iterdir()
    assert (aside / "why.txt").read_text() == "b.bin is not what was written\n"


def test_a_file_that_an_artefact_never_had_is_no_damage(tmp_path: Path) -> None:
    store = filled(tmp_path)
    with pytest.raises(KeyError):
        store.read(KEY, "c.json")
    assert store.has(KEY)
    with pytest.raises(KeyError):
        store.read("0" * 64, "a.json")


def test_the_first_of_two_processes_that_make_an_artefact_wins(tmp_path: Path) -> None:
    store = filled(tmp_path)
    with store.scratch() as out:
        (out / "a.json").write_text("[1, 2, 3]")
        store.put(KEY, PREIMAGE, out, MADE)
    assert store.read(KEY, "b.bin") == bytes(range(256))
    assert list((store.root / layout.SCRATCH).iterdir()) == []


def killed_while_building(store: LocalStore) -> Path:
    """What a process leaves that is killed in the middle of an artefact."""
    code = (
        "import os, signal, sys; from pathlib import Path; from prunectl.store.local import LocalStore\n"
        "with LocalStore(Path(sys.argv[1])).scratch() as out:\n"
        "    (out / 'half').touch(); print(out, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, store.root], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    return Path(done.stdout.strip())


def test_a_sweep_takes_what_was_left_and_nothing_in_use(tmp_path: Path) -> None:
    """A training makes its directory at its start and writes into it hours later: its age says nothing."""
    store = LocalStore(tmp_path / "store").open()
    scratch = store.root / layout.SCRATCH
    left, of_old = killed_while_building(store), scratch / "tmp_of_an_old_version"
    of_old.mkdir()
    with store.scratch() as out:
        for path in scratch.iterdir():
            os.utime(path, (0, 0))
        young = scratch / "tmp_young"
        young.mkdir()
        LocalStore(store.root).sweep()
        assert out.exists()
        assert not left.exists()
        assert not of_old.exists()
        assert young.exists()
        (out / "a.json").write_text("1")
        store.put(KEY, PREIMAGE, out, MADE)
    assert store.has(KEY)
    assert list(scratch.iterdir()) == [young]


def test_an_artefact_without_manifest_is_not_there(tmp_path: Path) -> None:
    store = filled(tmp_path)
    (store.root / layout.OBJECTS / KEY[:2] / KEY / layout.MANIFEST).unlink()
    assert not store.has(KEY)
    with pytest.raises(KeyError):
        store.fetch(KEY)
    with store.scratch() as out:  # and can be made again
        (out / "a.json").write_text("[1, 2, 3]")
        store.put(KEY, PREIMAGE, out, MADE)
    assert store.has(KEY)


def test_a_preimage_of_another_key_is_damage(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store").open()
    with store.scratch() as out:
        (out / "a.json").write_text("1")
        store.put(KEY, '{"kind":"train"}', out, MADE)
    with pytest.raises(DamagedError, match="pre-image"):
        store.manifest(KEY)


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="not a store"):
        LocalStore(tmp_path).open()
    with pytest.raises(StoreError, match="is a file"):
        LocalStore(tmp_path / "notes.txt").open()


def test_a_layout_of_the_future_is_refused(tmp_path: Path) -> None:
    store = filled(tmp_path)
    (store.root / layout.MARKER).write_text('{"layout": 99}')
    with pytest.raises(StoreError, match="does not know"):
        LocalStore(store.root).open()


def test_what_is_deleted_is_gone_and_its_size_with_it(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert store.size_bytes(KEY) > store.manifest(KEY).size_bytes == 9 + 256
    store.delete(KEY)
    assert not store.has(KEY)
    assert list(store.keys()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    store = filled(tmp_path)
    scratch = store.root / layout.SCRATCH
    scratch.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="cannot be written") as caught, store.scratch():
            pass
    finally:
        scratch.chmod(0o700)
    assert caught.value.hint == "choose another with --store DIR or PRUNECTL_STORE"


def test_an_artefact_that_is_deleted_while_it_is_read_is_missing_not_damaged(tmp_path: Path) -> None:
    store = filled(tmp_path)
    manifest = store.manifest(KEY)
    store.delete(KEY)
    with pytest.raises(KeyError):
        store.read(KEY, "a.json", manifest)
    store = filled(tmp_path)
    (store.root / layout.OBJECTS / KEY[:2] / KEY / "a.json").unlink()
    with pytest.raises(DamagedError):
        store.read(KEY, "a.json", manifest)


def test_opening_writes_nothing_and_the_first_thing_that_is_written_makes_the_store(tmp_path: Path) -> None:
    for write in (
        lambda store: store.record_failure(KEY, "crash", "killed", ""),
        lambda store: store.keep_log(KEY, b"printed"),
        LocalStore.require_writable,
        LocalStore.create,
    ):
        store = LocalStore(tmp_path / "store").open()
        assert list(store.keys()) == [] and not store.has(KEY) and store.failure(KEY) is None
        assert store.hardware([KEY]) == {} and store.free_bytes > 0 and not tmp_path.joinpath("store").exists()
        write(store)
        assert (store.root / layout.MARKER).exists() and LocalStore(store.root).open()
        shutil.rmtree(store.root)
