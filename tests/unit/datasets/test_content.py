"""What a plan knows about a data set, without reading it where its content is declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from pictures import folders
from prunectl.base.errors import DataError
from prunectl.catalog.dataset import Content
from prunectl.datasets.content import content_of
from prunectl.datasets.digits import Digits
from prunectl.datasets.pictures import ImageFolder
from unit.datasets.fakes import SmallMnist, random_arrays, write_idx


def test_a_declared_data_set_is_not_read(tmp_path: Path) -> None:
    content = content_of(Digits(), tmp_path / "nowhere")
    assert content == Content(
        fingerprint=str(Digits.fingerprint), shape=(1, 8, 8), classes=10, train_size=1442, test_size=355
    )


def test_one_without_a_declared_fingerprint_is_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mnist was not found under"):
        content_of(SmallMnist(), tmp_path)
    write_idx(tmp_path, random_arrays(30, 20, (1, 28, 28)))
    content = content_of(SmallMnist(), tmp_path)
    assert (len(content.fingerprint), content.train_size, content.test_size) == (64, 30, 20)


def test_of_pictures_the_sizes_are_those_on_the_disk(tmp_path: Path) -> None:
    root = folders(tmp_path)
    content = content_of(ImageFolder(size=12), root)
    assert (content.shape, content.classes, content.train_size, content.test_size) == ((3, 12, 12), 3, 90, 36)
    assert content == ImageFolder(size=12).content(root)
