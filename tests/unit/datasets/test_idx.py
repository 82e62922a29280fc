"""IDX files: exactly the shape that is expected, or an error that names the file."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from prunectl.base.errors import DataError
from prunectl.datasets.idx import read_idx, read_parts
from unit.datasets.fakes import idx_bytes, random_arrays, write_idx

VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("name", ["values", "values.gz"])
def test_values_are_read_in_their_shape(tmp_path: Path, name: str) -> None:
    content = idx_bytes(VALUES)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert np.array_equal(read_idx(tmp_path / name, (2, 3, 4)), VALUES)


@pytest.mark.parametrize("shape", [(2, 4, 3), (3, 2, 4)])
def test_another_shape_of_the_same_size_is_an_error(tmp_path: Path, shape: tuple[int, ...]) -> None:
    (tmp_path / "values").write_bytes(idx_bytes(VALUES))
    with pytest.raises(DataError, match=f"values is not an IDX file of {' x '.join(map(str, shape))} bytes"):
        read_idx(tmp_path / "values", shape)


def test_the_four_files_become_images_of_one_channel(tmp_path: Path) -> None:
    arrays = random_arrays(30, 20, (1, 28, 28))
    assert read_parts(tmp_path, (".",), (30, 20), (28, 28)) is None
    write_idx(tmp_path, arrays)
    read = read_parts(tmp_path, (".",), (30, 20), (28, 28))
    assert read is not None
    assert read.train_images.shape == (30, 1, 28, 28)
    assert np.array_equal(read.test_labels, arrays.test_labels)
