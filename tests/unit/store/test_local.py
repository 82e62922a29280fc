"""An artefact is complete or absent, and every read verifies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prunectl.base.errors import StoreError
from prunectl.base.keys import canonical, digest
from prunectl.store import layout
from prunectl.store.local import DamagedError, LocalStore
from prunectl.store.manifest import Made, Manifest, decode, encode

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


def killed_while_building(store: LocalStore) -> Path:
    """What a process leaves that is killed in the middle of an artefact."""
    code = (
        "import os, signal, sys; from pathlib import Path; from prunectl.store.local import LocalStore\n"
        "with LocalStore(Path(sys.argv[1])).scratch() as out:\n"
        "    (out / 'half').touch(); print(out, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    told = subprocess.run([sys.executable, "-c", code, store.root], stdout=subprocess.PIPE, text=True, check=False)
    assert told.returncode == -signal.SIGKILL
    return Path(told.stdout.strip())


def test_a_sweep_takes_what_was_left_and_nothing_in_use(tmp_path: Path) -> None:
    """A training makes its directory at its start and writes into it hours later: its age says nothing."""
    store = LocalStore(tmp_path / "store").open()
    room = store.root / layout.SCRATCH
    left, of_old = killed_while_building(store), room / "tmp_of_an_old_version"
    of_old.mkdir()
    with store.scratch() as out:
        for path in room.iterdir():
            os.utime(path, (0, 0))
        young = room / "tmp_young"
        young.mkdir()
        LocalStore(store.root).sweep()
        assert out.exists()
        assert not left.exists()
        assert not of_old.exists()
        assert young.exists()
        (out / "a.json").write_text("1")
        store.put(KEY, PREIMAGE, out, MADE)
    assert store.has(KEY)
    assert list(room.iterdir()) == [young]


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


def test_failures_are_kept_and_forgotten(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert store.failure(KEY) is None
    store.record_failure(KEY, "method", "no answer", "")
    assert store.failure(KEY) == {"kind": "method", "reason": "no answer", "detail": ""}
    store.forget_failure(KEY)
    assert store.failure(KEY) is None


def test_a_manifest_from_before_energy_was_counted_is_read() -> None:
    now = Manifest(key=KEY, preimage=PREIMAGE, files={}, made=replace(MADE, energy_j=3.5))
    assert decode(encode(now), KEY) == now
    body = asdict(now)
    del body["made"]["energy_j"]
    old = json.dumps({**body, "digest": digest(canonical(body))}).encode()
    assert decode(old, KEY).made == MADE
    assert MADE.energy_j is None


def test_a_manifest_from_before_it_was_told_what_a_training_goes_on_from_is_read() -> None:
    now = Manifest(key=KEY, preimage=PREIMAGE, files={}, made=replace(MADE, resume="ab" * 32))
    assert decode(encode(now), KEY) == now
    body = asdict(now)
    del body["made"]["resume"]
    old = json.dumps({**body, "digest": digest(canonical(body))}).encode()
    assert decode(old, KEY).made.resume is None
