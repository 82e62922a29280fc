"""What a plan must know about a data set: as declared where it is, else read from the disk."""

from __future__ import annotations

from pathlib import Path

from prunectl.base.errors import DataError
from prunectl.catalog.code import is_theirs
from prunectl.catalog.dataset import Content, Dataset
from prunectl.catalog.importing import calling
from prunectl.datasets.fingerprint import fingerprint_of
from prunectl.datasets.pictures import Pictures


def content_of(dataset: Dataset, root: Path) -> Content:
    """Fingerprint, shape, classes and sizes. Raises DataError if the files under the root cannot be read.

    Called by a command itself, so code of third parties is kept from disturbing it.
    """
    with calling(f"{dataset.label()} cannot be read", DataError, theirs=is_theirs(type(dataset))):
        if isinstance(dataset, Pictures):
            return dataset.content(root)
        return dataset.declared(fingerprint_of(dataset, root))
