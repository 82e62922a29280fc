"""Locks, failures, snapshots and logs of steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.store import layout
from prunectl.store.local import LocalStore

KEY = "ab" * 32


def test_failures_are_kept_and_forgotten(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store").open()
    assert store.failure(KEY) is None
    store.record_failure(KEY, "method", "no answer", "")
    assert store.failure(KEY) == {"kind": "method", "reason": "no answer", "detail": ""}
    store.forget_failure(KEY)
    assert store.failure(KEY) is None


def test_a_failure_that_cannot_be_read_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = LocalStore(tmp_path / "store").open()
    store.record_failure(KEY, "crash", "killed", "")
    file = store.root / layout.FAILURES / KEY[:2] / f"{KEY}.json"
    for damage in ("", "{", "[1]", "{}", '{"kind": "crash"}', '{"kind": 1, "reason": "", "detail": ""}', "[" * 100_000):
        file.write_text(damage)
        assert store.failure(KEY) is None
        assert not file.exists(), "set aside"
        assert LocalStore(store.root).failure(KEY) is None
    assert "is no record of a failure; it has been set aside" in caplog.text
    store.record_failure(KEY, "crash", "killed", "")
    assert store.failure(KEY) is not None


def test_a_training_is_under_way_once_it_has_left_a_snapshot(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store").open()
    assert not store.under_way(KEY)
    store.snapshots(KEY).mkdir(parents=True)
    assert store.under_way(KEY)


def test_a_lock_is_held_by_one_process_and_forgotten_afterwards(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store").open()
    with store.lock(KEY), pytest.raises(TimeoutError), store.lock(KEY):
        pass
    store.forget_lock(KEY)
    assert list((store.root / layout.LOCKS).iterdir()) == []
    store.forget_lock(KEY)


def test_what_a_step_printed_is_kept_as_long_as_its_artefact(tmp_path: Path) -> None:
    store = LocalStore(tmp_path).open()
    key = "a" * 64
    store.keep_log(key, b"first")
    store.keep_log(key, b"second")
    assert store.log(key).read_bytes() == b"second"
    assert store.log(key).relative_to(store.root).parts == ("logs", "aa", f"{key}.log")
    store.keep_log(key, b"")
    store.keep_log(key, b"")
    assert not store.log(key).exists(), "no log of a step that printed nothing"
    store.keep_log(key, b"third")
    store.delete(key)
    assert not store.log(key).exists()
