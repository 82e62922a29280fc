"""Data sets of one's own in memory-mapped files: the same bits as in memory, whether they fit there or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prunectl.api.run import complete
from prunectl.api.session import Session, open_study
from prunectl.datasets import fingerprint
from prunectl.datasets.on_disk import Mapped
from prunectl.work import held, material, originals
from small import HERE, SMALL

MINE = """\
import numpy as np

from prunectl import Dataset
from prunectl.catalog.dataset import Arrays


class Stripes(Dataset):
    shape, classes, train_size, test_size, mean, std, fingerprint = (1, 8, 8), 4, 80, 40, (0.5,), (0.3,), None

    mapped: bool = True

    def arrays(self, root):
        mode = "r" if self.mapped else None
        files = ("train_images", "train_labels", "test_images", "test_labels")
        return Arrays(**{name: np.load(root / f"{name}.npy", mmap_mode=mode if "images" in name else None)
                         for name in files})
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    draws = np.random.default_rng(1)
    for part, count in (("train", 80), ("test", 40)):
        labels = np.arange(count, dtype=np.uint8) % 4
        images = draws.integers(0, 60, (count, 1, 8, 8), dtype=np.uint8) + 48 * labels[:, None, None, None]
        np.save(tmp_path / f"{part}_images.npy", images.astype(np.uint8))
        np.save(tmp_path / f"{part}_labels.npy", labels)
    return tmp_path


def opened(root: Path, *, mapped: bool, store: str) -> Session:
    data = f'name = "file:mine.py:Stripes"\nmapped = {str(mapped).lower()}\nroot = "."\nvalidation = 20\n'
    table = f'{data}augment = ["flip"]'
    (root / "mine.py").write_text(MINE)
    study = root / "small.toml"
    study.write_text(SMALL.replace('name = "digits"', table).replace("epochs = 1", "epochs = 2"))
    return open_study(study, set={"data.train_limit": 40, "data.test_limit": 30}, store=root / store)


def measured(session: Session) -> Any:
    table = complete(session, HERE).results.trials
    assert set(table["status"]) == {"done"}
    return table.select("criterion", "sparsity", "top1", "top1_validation", "loss", "n_nonzero")


def test_images_on_the_disk_give_the_same_bits_as_in_memory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory = measured(opened(root, mapped=False, store="a"))
    monkeypatch.setattr(material, "HELD_BYTES", 0)
    monkeypatch.setattr(held, "read", lambda data, place: pytest.fail("it was read into memory"))
    originals._READ.clear()
    assert measured(opened(root, mapped=True, store="b")).equals(in_memory)


def test_both_have_one_fingerprint_until_the_file_is_large(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = opened(root, mapped=False, store="a").content.fingerprint
    assert opened(root, mapped=True, store="a").content.fingerprint == whole
    monkeypatch.setattr(fingerprint, "WHOLE_BYTES", 0)
    monkeypatch.setattr(fingerprint, "SAMPLES", 4)
    sampled = opened(root, mapped=True, store="a").content.fingerprint
    assert sampled != whole
    for name in ("test_labels", "train_images"):
        array = np.load(root / f"{name}.npy")
        array[-1] = 3 - array[-1] % 4
        np.save(root / f"{name}.npy", array)
        after = opened(root, mapped=True, store="a").content.fingerprint
        assert after != sampled, f"an edit of {name} is noticed"
        sampled = after


def test_a_batch_is_a_copy_of_what_is_at_its_positions(root: Path) -> None:
    images = np.load(root / "train_images.npy", mmap_mode="r")
    source = Mapped(images, np.load(root / "train_labels.npy"), np.array([3, 5, 8]), torch.device("cpu"))
    assert source.labels.tolist() == [3, 1, 0] and source.size_bytes == 3 * 64
    (run, chosen) = source.batches([slice(1, 3), torch.tensor([2, 0])])
    assert np.array_equal(run.numpy(), images[[5, 8]]) and np.array_equal(chosen.numpy(), images[[8, 3]])
