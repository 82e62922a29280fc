"""What every data set of the catalogue promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prunectl.base.errors import DataError
from prunectl.catalog.dataset import Dataset
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.tables import DATASETS
from prunectl.datasets.fingerprint import fingerprint_of
from prunectl.datasets.pictures import Pictures

SHIPPED = {"digits"}
DECLARED = [name for name in DATASETS if name != "image-folder"]  # whose sizes only the disk can tell


def dataset(name: str) -> Dataset:
    built = entry_type("datasets", name)()
    assert isinstance(built, Dataset)
    return built


def look(data: Dataset, root: Path) -> None:
    """Go to the disk."""
    if isinstance(data, Pictures):
        data.listing(root)
    else:
        data.arrays(root)


@pytest.mark.parametrize("name", DECLARED)
def test_what_is_declared_fits_together(name: str) -> None:
    data = dataset(name)
    assert data.name == name
    assert data.summary
    assert len(data.mean) == len(data.std) == data.shape[0]
    assert all(0 < mean < 1 for mean in data.mean) and all(0 < std <= 0.5 for std in data.std)
    assert data.train_size >= data.test_size >= data.classes >= 2
    if data.balanced:
        assert data.train_size % data.classes == data.test_size % data.classes == 0
    if data.fingerprint is not None:
        assert len(bytes.fromhex(data.fingerprint)) == 32


@pytest.mark.parametrize("name", sorted(set(DATASETS) - SHIPPED))
@pytest.mark.parametrize("root", ["empty", "not-there"])
def test_missing_data_say_how_to_get_them(name: str, root: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as error:
        look(dataset(name), tmp_path / root)
    assert str(tmp_path / root) in error.value.message
    assert "--data DIR" in (error.value.hint or "")


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_what_is_shipped_is_as_declared(name: str, tmp_path: Path) -> None:
    data = dataset(name)
    images = data.arrays(tmp_path)
    assert images.train_images.shape == (data.train_size, *data.shape)
    assert images.test_images.shape == (data.test_size, *data.shape)
    assert sorted(set(images.train_labels.tolist())) == list(range(data.classes))
    assert fingerprint_of(data, tmp_path) == data.fingerprint


def test_fingerprints_and_all_entries_come_without_torch() -> None:
    """The planner asks for both; torch takes three seconds to import."""
    program = """
import sys
from pathlib import Path
from prunectl.catalog.lookup import entry_type
from prunectl.catalog.tables import CATALOGS
from prunectl.datasets.fingerprint import digest_of, fingerprint_of
for catalog in ("datasets", "models", "augmentations"):
    for name in CATALOGS[catalog].entries:
        entry_type(catalog, name)().preimage()
digits = entry_type("datasets", "digits")()
assert digest_of(digits.arrays(Path())) == fingerprint_of(digits, Path())
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
