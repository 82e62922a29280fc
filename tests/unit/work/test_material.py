"""A step trains on what was planned, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from prunectl.base.errors import DataError, MethodError
from prunectl.datasets.fingerprint import fingerprint_of
from prunectl.plan.steps import Data
from prunectl.work import held, originals
from prunectl.work.context import Context
from prunectl.work.material import part_of, scoring_batches
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


def context(root: Path) -> Context:
    return Context(device=torch.device("cpu"), data_root=root, snapshots=root / "snapshots")


def test_scoring_batches_are_frozen_balanced_shuffled_and_identified(tmp_path: Path) -> None:
    """Trap 11: criteria see the same images in every run, and the artefact says which."""
    arrays = random_arrays(200, 20, (1, 28, 28))
    write_idx(tmp_path, arrays)
    sizes = type("Sized", (SmallFashion,), {"train_size": 200})
    data = Data(dataset=sizes(), fingerprint=fingerprint_of(sizes(), tmp_path))
    batches, digest = scoring_batches(data, 10, 4, 3, seed=1, context=context(tmp_path))
    assert [images.shape for images, _ in batches] == [(40, 1, 28, 28)] * 3
    for _, labels in batches:
        assert labels.bincount().tolist() == [4] * 10
        assert not torch.equal(labels, labels.sort().values)
    chosen = torch.cat([images.flatten(1) for images, _ in batches])
    assert len({tuple(image) for image in chosen.tolist()}) == 120
    again, same = scoring_batches(data, 10, 4, 3, seed=1, context=context(tmp_path))
    assert same == digest
    assert all(torch.equal(images, others) for (images, _), (others, _) in zip(batches, again, strict=True))
    assert scoring_batches(data, 10, 4, 3, seed=2, context=context(tmp_path))[1] != digest
    with pytest.raises(MethodError, match="need 21 of each; class 0 has 20"):
        scoring_batches(data, 10, 7, 3, seed=1, context=context(tmp_path))
