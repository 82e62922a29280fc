"""Recorded runs: written whole, one for each directory, study and selection, and read with care."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prunectl.base.errors import StoreError
from prunectl.store import layout
from prunectl.store.runs import Caption, forget, read, record, stamp

CAPTION = Caption(
    name="small", title="", path="/s/study.toml", sha256="0" * 64, directory="/s", profile=None,
    overrides=("train.epochs=2",), only=("seed=1", "seed=2"), stage="retrain", data="/d",
    when="2026-01-01T00:00:00.000000+00:00", host="h", user="u",
)  # fmt: skip


def test_a_run_is_read_as_it_was_recorded(tmp_path: Path) -> None:
    run = record(tmp_path, CAPTION, {"b", "a"})
    assert (run.id, run.caption, sorted(run.keys)) == (CAPTION.id, CAPTION, ["a", "b"])
    assert read(tmp_path).runs == (run,)
    assert read(tmp_path / "nothing").runs == ()


def test_a_run_keeps_the_seeds_that_it_was_granted(tmp_path: Path) -> None:
    """Without any, the record has the bytes that it had before there were such studies."""
    run = record(tmp_path, CAPTION, {"a"}, {"snip": 4, "random": 3})
    file = tmp_path / layout.RUNS / f"{run.id}.json"
    assert read(tmp_path).runs[0].granted == run.granted == {"snip": 4, "random": 3}
    file.write_text(file.read_text().replace('"snip": 4', '"snip": 5'))
    assert list(read(tmp_path).unreadable) == [run.id]
    record(tmp_path, CAPTION, {"a"})
    assert "granted" not in file.read_text() and read(tmp_path).runs[0].granted == {}


def test_a_run_keeps_the_names_of_its_steps(tmp_path: Path) -> None:
    record(tmp_path, CAPTION, {"b", "a"}, names={"b": "train dense, seed 1"})
    (run,) = read(tmp_path).runs
    assert run.names == {"a": "", "b": "train dense, seed 1"}


def test_a_repeated_run_replaces_its_record(tmp_path: Path) -> None:
    record(tmp_path, CAPTION, {"a"})
    later = replace(CAPTION, when="2026-01-02T00:00:00.000000+00:00", stage="train", user="v", sha256="1" * 64)
    run = record(tmp_path, later, {"b"})
    assert read(tmp_path).runs == (run,)


@pytest.mark.parametrize(
    "other",
    [{"directory": "/t"}, {"path": "/s/other.toml"}, {"profile": "quick"}, {"overrides": ()}, {"only": ("seed=1",)}],
)
def test_another_directory_study_or_selection_is_another_run(tmp_path: Path, other: dict[str, object]) -> None:
    first = record(tmp_path, CAPTION, {"a"})
    second = record(tmp_path, replace(CAPTION, when="2027", **other), {"b"})  # type: ignore[arg-type]
    found = read(tmp_path)
    assert found.runs == (first, second)
    assert found.keys == {"a", "b"}
    forget(tmp_path, first.id)
    assert read(tmp_path).runs == (second,)


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000])
def test_a_record_that_is_not_as_written_is_reported(tmp_path: Path, damage: bytes) -> None:
    run = record(tmp_path, CAPTION, {"a"})
    file = tmp_path / layout.RUNS / f"{run.id}.json"
    file.write_bytes(damage)
    assert read(tmp_path).unreadable == {run.id: "it is not what was written"}


def test_one_changed_key_is_noticed(tmp_path: Path) -> None:
    run = record(tmp_path, CAPTION, {"a" * 64})
    file = tmp_path / layout.RUNS / f"{run.id}.json"
    file.write_text(file.read_text().replace("a" * 64, "a" * 63 + "b"))
    assert run.id in read(tmp_path).unreadable


def test_a_directory_in_the_place_of_a_record_is_reported(tmp_path: Path) -> None:
    (tmp_path / layout.RUNS / "ab.json").mkdir(parents=True)
    assert read(tmp_path).unreadable == {"ab": "Is a directory"}


def test_the_stamp_changes_with_the_records(tmp_path: Path) -> None:
    stamps = [stamp(tmp_path)]
    record(tmp_path, CAPTION, {"a"})
    stamps.append(stamp(tmp_path))
    assert stamps[0] == 0 < stamps[1]


def test_a_store_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / layout.RUNS).write_text("a file")
    with pytest.raises(StoreError):
        record(tmp_path, CAPTION, {"a"})
