"""The data sets that this process has read and verified, whole and as arrays. `held` has parts of them as tensors.

Without torch, so that a nursery reads them while it imports torch.
"""

from __future__ import annotations

from pathlib import Path

from prunectl.catalog.dataset import Arrays, Dataset
from prunectl.datasets.fingerprint import original
from prunectl.plan.steps import Data
from prunectl.work.recent import Recent

MOST = 1
"""Data sets that are kept: the training and the test part of a study are parts of one."""

_READ: Recent[tuple[Dataset, str, Path], Arrays] = Recent(MOST)


def arrays_of(data: Data, root: Path) -> Arrays:
    """The whole data set, whatever part of it is asked for. Raises what `original` raises."""
    key = (data.dataset, data.fingerprint, root)
    return _READ.get_or_make(key, lambda: original(data.dataset, root, data.fingerprint))
