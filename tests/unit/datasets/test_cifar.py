"""CIFAR in every form in which it is distributed, and files that are not CIFAR's."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest

from prunectl.base.errors import DataError
from unit.datasets.fakes import (
    SmallCifar10,
    SmallCifar100,
    cifar10_files,
    cifar100_files,
    random_arrays,
    same,
    write_archive,
    write_files,
)

TEN = random_arrays(50, 10, (3, 32, 32))
HUNDRED = random_arrays(200, 100, (3, 32, 32), classes=100)


@pytest.mark.parametrize("python", [False, True], ids=["binary", "python"])
@pytest.mark.parametrize("under", ["", "cifar10", "CIFAR10"])
def test_cifar10_is_read_from_its_folder(tmp_path: Path, python: bool, under: str) -> None:
    write_files(tmp_path / under, cifar10_files(TEN, python=python))
    assert same(SmallCifar10().arrays(tmp_path), TEN)


def test_the_root_may_be_the_folder_itself(tmp_path: Path) -> None:
    write_files(tmp_path, cifar10_files(TEN))
    assert same(SmallCifar10().arrays(tmp_path / "cifar-10-batches-bin"), TEN)


@pytest.mark.parametrize("python", [False, True], ids=["binary", "python"])
def test_cifar100_has_its_fine_labels(tmp_path: Path, python: bool) -> None:
    write_files(tmp_path, cifar100_files(HUNDRED, python=python))
    assert same(SmallCifar100().arrays(tmp_path), HUNDRED)


@pytest.mark.parametrize(("name", "python"), [("cifar-10-binary.tar.gz", False), ("cifar-10-python.tar.gz", True)])
def test_an_archive_is_enough(tmp_path: Path, name: str, python: bool) -> None:
    write_archive(tmp_path / name, cifar10_files(TEN, python=python))
    assert same(SmallCifar10().arrays(tmp_path), TEN)


def test_an_incomplete_folder_does_not_hide_a_complete_one(tmp_path: Path) -> None:
    write_files(tmp_path, cifar10_files(TEN))
    write_files(tmp_path, cifar10_files(TEN, python=True))
    (tmp_path / "cifar-10-batches-bin/test_batch.bin").unlink()
    assert same(SmallCifar10().arrays(tmp_path), TEN)
    shutil.rmtree(tmp_path / "cifar-10-batches-py")
    with pytest.raises(DataError, match=r"cifar-10-batches-bin is incomplete: test_batch\.bin missing"):
        SmallCifar10().arrays(tmp_path)


def test_missing_data_name_every_form_and_place(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        SmallCifar100().arrays(tmp_path)
    for sought in (
        "train.bin to test.bin",
        "cifar-100-binary",
        "cifar-100-python",
        "cifar-100-python.tar.gz",
        str(tmp_path),
    ):
        assert sought in error.value.message
    assert f"`prunectl data get cifar100 --data {tmp_path}` downloads it" in (error.value.hint or "")


def test_a_truncated_file_is_named_with_both_sizes(tmp_path: Path) -> None:
    write_files(tmp_path, cifar10_files(TEN))
    path = tmp_path / "cifar-10-batches-bin/data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match=r"data_batch_3\.bin is truncated: 30,723 .* expected 30,730"):
        SmallCifar10().arrays(tmp_path)


@pytest.mark.parametrize("keep", [100, 60_000])
def test_a_truncated_archive_is_named(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "cifar-10-binary.tar.gz"
    write_archive(path, cifar10_files(TEN))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz cannot be unpacked"):
        SmallCifar10().arrays(tmp_path)


def test_a_truncated_pickle_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, cifar10_files(TEN, python=True))
    path = tmp_path / "cifar-10-batches-py/test_batch"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match="test_batch is not a CIFAR file"):
        SmallCifar10().arrays(tmp_path)


def test_labels_that_do_not_fit_the_images_are_an_error(tmp_path: Path) -> None:
    files = cifar10_files(TEN, python=True)
    files["cifar-10-batches-py/test_batch"] = files["cifar-10-batches-py/test_batch"].replace(b"K\x09e", b"e")
    write_files(tmp_path, files)
    with pytest.raises(DataError, match="test_batch has no labels of 10 images"):
        SmallCifar10().arrays(tmp_path)


class Touch:
    """Creates a file when it is unpickled by the standard library."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_that_would_run_something_is_refused_and_not_run(tmp_path: Path) -> None:
    files = cifar10_files(TEN, python=True)
    files["cifar-10-batches-py/data_batch_1"] = pickle.dumps({"data": Touch(tmp_path / "ran"), "labels": []})
    write_files(tmp_path, files)
    with pytest.raises(DataError, match="which is refused"):
        SmallCifar10().arrays(tmp_path)
    assert not (tmp_path / "ran").exists()
