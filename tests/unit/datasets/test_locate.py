"""Files are found in the first folder that has them all; what is missing or damaged is named with a way out."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from prunectl.base.errors import DataError
from prunectl.datasets import locate

NAMES = ("images", "labels")


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")


def test_the_first_complete_folder_is_used(tmp_path: Path) -> None:
    write(tmp_path / "b", *NAMES)
    write(tmp_path / "c", *NAMES)
    assert locate.find(tmp_path, ("a", "b", "c"), NAMES) == [tmp_path / "b" / name for name in NAMES]


def test_each_file_may_have_another_ending_and_the_first_one_is_preferred(tmp_path: Path) -> None:
    write(tmp_path, "images", "images.gz", "labels.gz")
    assert locate.find(tmp_path, (".",), NAMES, ("", ".gz")) == [tmp_path / "images", tmp_path / "labels.gz"]


def test_no_file_at_all_is_no_error_here(tmp_path: Path) -> None:
    assert locate.find(tmp_path, ("a", "b"), NAMES) == []


def test_a_folder_with_some_of_the_files_is_an_error_that_names_the_others(tmp_path: Path) -> None:
    write(tmp_path / "a", "images", "more")
    with pytest.raises(DataError, match=r"a is incomplete: labels, extra missing"):
        locate.find(tmp_path, ("a", "b"), (*NAMES, "extra"))


def test_a_directory_of_that_name_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    assert locate.find(tmp_path, (".",), ("images",)) == []


def test_the_places_of_a_search_are_named_once_and_the_root_by_its_path(tmp_path: Path) -> None:
    assert locate.searched(tmp_path, ("a", ".", "b", "a"), "train/") == (
        f"under {tmp_path} (looked for train/ in that directory and in a, b)"
    )
    assert locate.searched(tmp_path / "no", ("a",), "train/") == (
        f"because {tmp_path / 'no'} does not exist (looked for train/)"
    )


def test_bytes_are_read_raw_or_decompressed_and_may_be_changed(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"\x01\x02")
    (tmp_path / "packed.gz").write_bytes(gzip.compress(b"\x01\x02"))
    for name in ("raw", "packed.gz"):
        values = locate.read_bytes(tmp_path / name)
        assert values.tolist() == [1, 2]
        values[0] = 9


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError, match=r"broken\.gz is truncated or not gzip: .* \(8 bytes\)"):
        locate.read_bytes(tmp_path / "broken.gz")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        locate.read_bytes(tmp_path / "absent")


@pytest.mark.parametrize(("actual", "trouble"), [(9, "truncated: 9"), (1011, "too long: 1,011")])
def test_another_size_than_expected_is_damage(actual: int, trouble: str) -> None:
    with pytest.raises(DataError, match=f"file is {trouble} bytes of content, expected 10") as caught:
        locate.check_size("file", actual, 10)
    assert caught.value.hint == "delete it and download the data set again"
    locate.check_size("file", 10, 10)


def test_what_unpacks_to_more_than_any_data_set_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(2_000)))
    monkeypatch.setattr(locate, "LARGEST_BYTES", 1_999)
    with pytest.raises(DataError, match="unpacks to more than 1,999 bytes"):
        locate.read_bytes(tmp_path / "bomb.gz")
