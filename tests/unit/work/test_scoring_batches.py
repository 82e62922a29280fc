"""The images that criteria are given."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from prunectl.base.errors import MethodError
from prunectl.datasets.fingerprint import fingerprint_of
from prunectl.plan.steps import Data
from prunectl.work.context import Context
from prunectl.work.scoring_batches import scoring_batches
from unit.datasets.fakes import SmallFashion, random_arrays, write_idx


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
