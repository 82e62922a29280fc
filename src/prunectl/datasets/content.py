"""What a plan must know of a data set: declared where it can be, else from the disk."""

from __future__ import annotations

from pathlib import Path

from prunectl.catalog.dataset import Content, Dataset
from prunectl.datasets.fingerprint import fingerprint_of
from prunectl.datasets.pictures import Pictures


def content_of(dataset: Dataset, root: Path) -> Content:
    """Fingerprint, shape, classes and sizes. Raises DataError if what lies under the root cannot be read."""
    if isinstance(dataset, Pictures):
        return dataset.content(root)
    return dataset.declared(fingerprint_of(dataset, root))
