"""What is loaded is what was declared: whole or limited, verified either way."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
import torch

from prunectl.base.errors import DataError
from prunectl.datasets.digits import Digits
from prunectl.datasets.fingerprint import digest_of, fingerprint_of
from prunectl.datasets.load import load
from unit.datasets.fakes import SmallMnist, random_arrays, write_idx

ARRAYS = random_arrays(30, 20, (1, 28, 28))


class Declared(SmallMnist):
    """Small MNIST that knows its content."""

    fingerprint: ClassVar[str | None] = digest_of(ARRAYS)


def test_the_whole_set_is_read_as_uint8_and_int64_tensors(tmp_path: Path) -> None:
    write_idx(tmp_path, ARRAYS)
    images = load(Declared(), tmp_path)
    assert torch.equal(images.train_images, torch.from_numpy(ARRAYS.train_images))
    assert torch.equal(images.test_labels, torch.from_numpy(ARRAYS.test_labels).long())
    assert (images.train_images.dtype, images.train_labels.dtype) == (torch.uint8, torch.int64)


def test_one_changed_pixel_is_found_even_outside_the_subset(tmp_path: Path) -> None:
    write_idx(tmp_path, ARRAYS)
    path = tmp_path / "train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"mnist under .* is not the original: .* expected {Declared.fingerprint}"):
        load(Declared(), tmp_path, train_limit=10)


def test_files_that_are_not_those_of_the_plan_are_found(tmp_path: Path) -> None:
    """A data set without a declared fingerprint has that of the plan: other files are other data."""
    write_idx(tmp_path, ARRAYS)
    planned = fingerprint_of(SmallMnist(), tmp_path)
    assert len(load(SmallMnist(), tmp_path, fingerprint=planned).train_images) == 30
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(DataError, match=r"mnist under .* has changed since the study was planned"):
        load(SmallMnist(), tmp_path, train_limit=10, fingerprint=planned)


def test_labels_beyond_the_classes_are_found_without_a_fingerprint(tmp_path: Path) -> None:
    write_idx(tmp_path, random_arrays(30, 20, (1, 28, 28), classes=11))
    with pytest.raises(DataError, match="the training part has labels beyond its 10 classes"):
        load(SmallMnist(), tmp_path)


def test_limits_give_the_same_balanced_part_every_time() -> None:
    first = load(Digits(), Path(), train_limit=103, test_limit=50)
    again = load(Digits(), Path(), train_limit=103, test_limit=50)
    counts = first.train_labels.bincount()
    assert len(first.train_images) == 103 and counts.max() - counts.min() == 1
    assert first.test_labels.bincount().tolist() == [5] * 10
    assert torch.equal(first.train_images, again.train_images)


def test_images_that_are_held_out_are_those_that_are_missing_from_training() -> None:
    whole, part = load(Digits(), Path()), load(Digits(), Path(), validation=200, train_limit=500)
    assert (len(part.train_images), len(part.validation_images), len(whole.validation_images)) == (500, 200, 0)
    assert part.validation_labels.bincount().tolist() == [20] * 10
    assert torch.equal(part.test_images, whole.test_images)
    seen = {bytes(image.numpy().tobytes()) for image in whole.train_images}
    assert all(bytes(image.numpy().tobytes()) in seen for image in part.validation_images)


def test_a_limit_beyond_the_data_is_an_error() -> None:
    with pytest.raises(DataError, match=r"test_limit = 356 is more than the 355 test images of digits"):
        load(Digits(), Path(), test_limit=356)


def test_the_fingerprint_comes_from_the_declaration_or_else_from_the_disk(tmp_path: Path) -> None:
    assert fingerprint_of(Declared(), tmp_path / "nowhere") == Declared.fingerprint
    write_idx(tmp_path, ARRAYS)
    assert fingerprint_of(SmallMnist(), tmp_path) == Declared.fingerprint
