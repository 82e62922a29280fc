"""Data sets that a process reads once, whatever parts of them are asked for."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from prunectl.base.errors import DataError
from prunectl.catalog.dataset import Arrays, Dataset
from prunectl.datasets.digits import Digits
from prunectl.datasets.fingerprint import original
from prunectl.plan.steps import Data
from prunectl.work import held, originals

DIGITS = Data(dataset=Digits(), fingerprint="70931fb9a06056a95ec50271a64a6b29c089f1a7e185f0f3d242b5be52a6cff9")


def test_a_limited_data_set_is_read_once_for_all_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []

    def counted(dataset: Dataset, root: Path, fingerprint: str | None) -> Arrays:
        reads.append(root)
        return original(dataset, root, fingerprint)

    monkeypatch.setattr("prunectl.work.originals.original", counted)
    parts = (replace(DIGITS, train_limit=100), replace(DIGITS, test_limit=50))
    train, test = (held.read(part, Path()) for part in parts)
    assert (len(train.train_labels), len(test.test_labels)) == (100, 50)
    assert len(reads) == 1


def test_only_the_last_data_set_is_kept_and_none_that_cannot_be_read() -> None:
    first = originals.arrays_of(DIGITS, Path())
    assert originals.arrays_of(DIGITS, Path()) is first
    assert originals.arrays_of(DIGITS, Path("elsewhere")) is not first
    assert originals.arrays_of(DIGITS, Path()) is not first
    with pytest.raises(DataError, match="has changed since the study was planned"):
        originals.arrays_of(replace(DIGITS, fingerprint="0" * 64), Path())
    assert len(originals._READ) == originals.MOST


def test_it_is_read_without_torch() -> None:
    """A nursery imports that at the same time."""
    code = "import prunectl.execute.nursery, prunectl.work.originals, sys; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
