"""What this machine can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunectl.api.doctor import data_sets, findings, looked
from prunectl.base.errors import DataError
from prunectl.catalog import tables
from prunectl.catalog.dataset import Dataset


def test_versions_places_and_data_sets_are_found(tmp_path: Path) -> None:
    found = findings(tmp_path / "store", tmp_path / "data")
    assert found["store"].startswith(str(tmp_path / "store"))
    assert found["data"] == str(tmp_path / "data")
    assert found["data set digits"] == "found, checksum OK"
    assert found["data set mnist"].startswith("mnist was not found")
    assert {"prunectl", "python", "torch", "polars", "cores", "CUDA devices"} <= set(found)


def test_a_data_set_without_a_usual_place_is_left_out(tmp_path: Path) -> None:
    assert "data set image-folder" not in data_sets(tmp_path)


def test_a_data_set_that_is_missing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        looked(tables.entry_type("datasets", "mnist", Dataset)(), tmp_path)


def test_a_broken_plug_in_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"digits": "prunectl.datasets.digits:Digits", "broken": "no_such_package:Broken"}
    monkeypatch.setattr(tables, "places", lambda catalog: places)
    monkeypatch.setattr(tables, "names", lambda catalog: list(places))
    found = data_sets(tmp_path)
    assert found["data set digits"] == "found, checksum OK"
    assert "cannot be imported" in found["data set broken"]
