"""The IDX files of MNIST and Fashion-MNIST, wherever they lie and whatever is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.base.errors import DataError
from prunectl.datasets.fingerprint import fingerprint_of
from prunectl.datasets.idx import PARTS
from unit.datasets.fakes import SmallFashion, SmallMnist, random_arrays, same, write_idx

ARRAYS = random_arrays(30, 20, (1, 28, 28))


@pytest.mark.parametrize("folder", ["MNIST/raw", "mnist", "raw", "."])
@pytest.mark.parametrize("compress", [False, True])
def test_files_are_read_where_torchvision_or_anyone_puts_them(tmp_path: Path, folder: str, compress: bool) -> None:
    write_idx(tmp_path / folder, ARRAYS, compress=compress)
    assert same(SmallMnist().arrays(tmp_path), ARRAYS)


def test_raw_and_compressed_files_may_be_mixed(tmp_path: Path) -> None:
    write_idx(tmp_path, ARRAYS)
    write_idx(tmp_path, ARRAYS, compress=True)
    (tmp_path / PARTS[0]).unlink()
    (tmp_path / f"{PARTS[1]}.gz").unlink()
    assert same(SmallMnist().arrays(tmp_path), ARRAYS)


def test_a_complete_folder_is_taken_before_an_incomplete_one(tmp_path: Path) -> None:
    write_idx(tmp_path / "MNIST/raw", ARRAYS)
    (tmp_path / "MNIST/raw" / PARTS[2]).unlink()
    write_idx(tmp_path / "mnist", ARRAYS)
    assert same(SmallMnist().arrays(tmp_path), ARRAYS)


def test_missing_data_say_where_they_were_sought_and_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        SmallFashion().arrays(tmp_path)
    message, hint = error.value.message, error.value.hint or ""
    for sought in (*PARTS, str(tmp_path), "FashionMNIST/raw", "fashion-mnist"):
        assert sought in message
    assert f"`prunectl data get fashion-mnist --data {tmp_path}` downloads it" in hint
    for way in ("--data DIR", "PRUNECTL_DATA", "[data]"):
        assert way in hint


def test_an_incomplete_folder_says_which_files_it_lacks(tmp_path: Path) -> None:
    write_idx(tmp_path / "MNIST/raw", ARRAYS)
    (tmp_path / "MNIST/raw" / PARTS[1]).unlink()
    with pytest.raises(DataError, match=f"MNIST/raw is incomplete: {PARTS[1]} missing"):
        SmallMnist().arrays(tmp_path)


@pytest.mark.parametrize(("change", "trouble"), [(-1, "truncated"), (5, "too long")])
def test_a_file_of_the_wrong_size_is_named_with_both_sizes(tmp_path: Path, change: int, trouble: str) -> None:
    write_idx(tmp_path, ARRAYS)
    path = tmp_path / PARTS[0]
    size = 16 + 30 * 28 * 28
    path.write_bytes((path.read_bytes() + bytes(5))[: size + change])
    with pytest.raises(DataError, match=rf"{PARTS[0]} is {trouble}: {size + change:,} .* expected {size:,}"):
        SmallMnist().arrays(tmp_path)


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    write_idx(tmp_path, ARRAYS, compress=True)
    path = tmp_path / f"{PARTS[2]}.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"{PARTS[2]}\.gz is truncated or not gzip"):
        SmallMnist().arrays(tmp_path)


def test_a_file_that_is_not_idx_is_named(tmp_path: Path) -> None:
    write_idx(tmp_path, ARRAYS)
    path = tmp_path / PARTS[3]
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    with pytest.raises(DataError, match=f"{PARTS[3]} is not an IDX file"):
        SmallMnist().arrays(tmp_path)


def test_files_of_mnist_are_not_taken_for_fashion_mnist(tmp_path: Path) -> None:
    """Both have the same names and sizes; only Fashion-MNIST has equally many images of each class."""
    write_idx(tmp_path, ARRAYS)
    assert fingerprint_of(SmallFashion(), tmp_path)
    write_idx(tmp_path, random_arrays(30, 20, (1, 28, 28), classes=9))
    with pytest.raises(DataError, match="fashion-mnist: the training part does not have equally many"):
        fingerprint_of(SmallFashion(), tmp_path)
