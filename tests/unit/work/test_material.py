"""A step trains on what was planned, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from prunectl.base.errors import DataError
from prunectl.datasets.fingerprint import fingerprint_of
from prunectl.plan.steps import Data
from prunectl.work import held, originals
from prunectl.work.context import Context
from prunectl.work.material import part_of
from unit.datasets.fakes import SmallFashion, random_arrays, write_idx


def test_files_exchanged_after_the_plan_are_not_trained_on(tmp_path: Path) -> None:
    """Fashion-MNIST declares no fingerprint: only the plan knows which files were meant."""
    arrays = random_arrays(30, 20, (1, 28, 28))
    write_idx(tmp_path, arrays)
    data = Data(dataset=SmallFashion(), fingerprint=fingerprint_of(SmallFashion(), tmp_path))
    context = Context(device=torch.device("cpu"), data_root=tmp_path, snapshots=tmp_path / "snapshots")
    assert len(part_of(data, "train", context).labels) == 30
    arrays.train_images[0, 0, 0, 0] ^= 1
    write_idx(tmp_path, arrays)
    assert len(part_of(data, "train", context).labels) == 30, "a process keeps the images that it verified"
    held._READ.clear()  # as in another process
    originals._READ.clear()
    with pytest.raises(DataError, match="has changed since the study was planned"):
        part_of(data, "train", context)
