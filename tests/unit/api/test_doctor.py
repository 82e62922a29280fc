"""What this machine can do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugged import Install
from prunectl.api.doctor import data_sets, findings, looked
from prunectl.base.errors import DataError
from prunectl.catalog import lookup
from prunectl.catalog.dataset import Dataset


def test_versions_places_and_data_sets_are_found(tmp_path: Path) -> None:
    found = findings(tmp_path / "store", tmp_path / "data")
    assert found["store"].startswith(str(tmp_path / "store"))
    assert found["store"].endswith(" free)")
    assert found["data"] == str(tmp_path / "data")
    assert found["settings"] == os.devnull
    assert found["data set digits"] == "found, checksum OK"
    assert found["data set mnist"].startswith("mnist was not found")
    assert {"prunectl", "python", "torch", "polars", "cores", "CUDA devices"} <= set(found)


def test_the_free_space_of_a_bucket_is_not_that_of_the_local_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNECTL_CACHE", str(tmp_path / "copies"))
    found = findings(f"file://{tmp_path}/bucket", tmp_path / "data")
    assert found["store"] == f"file://{tmp_path}/bucket"
    assert found["copies of it"].startswith(str(tmp_path / "copies")) and found["copies of it"].endswith(" free)")


def test_a_data_set_without_a_usual_place_is_left_out(tmp_path: Path) -> None:
    assert "data set image-folder" not in data_sets(tmp_path)


def test_a_data_set_that_is_missing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        looked(lookup.entry_type("datasets", "mnist", Dataset)(), tmp_path)


def test_a_broken_plug_in_costs_only_itself(tmp_path: Path, installed: Install) -> None:
    points = "[prunectl.datasets]\nbroken = no_such_package:Broken\n[prunectl.criterion]\nmine = net:Mine\n"
    file = installed(points)
    found = findings(tmp_path / "store", tmp_path / "data")
    assert found["data set digits"] == "found, checksum OK"
    assert "cannot be imported" in found["plug-in broken of the datasets"]
    assert found["plug-in broken of the datasets"].endswith(f"({file}:2)")
    unknown = found["plug-in mine of the criterion"]
    assert unknown.startswith("broken: there is no catalogue 'criterion'; there are criteria, scopes,")
    assert unknown.endswith(f"({file}:4)")


def test_a_data_set_of_somebody_else_that_raises_costs_only_itself(tmp_path: Path, installed: Install) -> None:
    module = """
        from prunectl.catalog.dataset import Dataset

        class Mine(Dataset):
            name, summary, fingerprint = "mine", "never read", None
            shape, classes, train_size, test_size, mean, std = (1, 8, 8), 2, 4, 4, (0.5,), (0.5,)

            def arrays(self, root):
                return 1 // 0

        class Needy(Mine):
            name = "needy"
            side: int
    """
    installed("[prunectl.datasets]\nmine = net:Mine\nneedy = net:Needy\n", {"net.py": module})
    found = data_sets(tmp_path)
    assert found["data set mine"].startswith("cannot be read: ZeroDivisionError: ")
    assert found["data set mine"].endswith("(net.py:9, in arrays)")
    assert found["data set digits"] == "found, checksum OK"
    assert "data set needy" not in found
