"""What a data set is, as one digest: two copies with one fingerprint hold the same pixels, labels and order.

SHA-256 over, for train and then test: a line of ASCII with the shape, "N,C,H,W\\n"; the images as uint8 in that
order; the labels as uint8. No torch here: the planner asks for it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from prunectl.base.errors import DataError
from prunectl.catalog.dataset import Arrays, Dataset


def digest_of(arrays: Arrays) -> str:
    """The fingerprint of a data set in memory, in hex."""
    import numpy as np

    digest = hashlib.sha256()
    for images, labels in (
        (arrays.train_images, arrays.train_labels),
        (arrays.test_images, arrays.test_labels),
    ):
        digest.update((",".join(map(str, images.shape)) + "\n").encode())
        digest.update(np.ascontiguousarray(images).data)
        digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


def fingerprint_of(dataset: Dataset, root: Path) -> str:
    """The declared fingerprint, or where none is declared, that of what lies under the root (checked for sense)."""
    if dataset.fingerprint is not None:
        return dataset.fingerprint
    return verified(dataset, root)[1]


def verified(dataset: Dataset, root: Path) -> tuple[Arrays, str]:
    """The data set and its fingerprint; DataError if it is not the one that is declared."""
    arrays = dataset.arrays(root)
    _check_labels(dataset, arrays)
    actual = digest_of(arrays)
    if dataset.fingerprint not in (None, actual):
        raise DataError(
            f"{dataset.name} under {root} is not the original: its content has fingerprint {actual}, "
            f"expected {dataset.fingerprint}",
            hint="delete it and download the data set again",
        )
    return arrays, actual


def _check_labels(dataset: Dataset, arrays: Arrays) -> None:
    import numpy as np

    for part, labels in (("training", arrays.train_labels), ("test", arrays.test_labels)):
        counts = np.bincount(labels, minlength=dataset.classes)
        if len(counts) > dataset.classes or (dataset.balanced and counts.min() != counts.max()):
            wanted = "equally many images of each of its" if dataset.balanced else "labels of"
            raise DataError(
                f"{dataset.name}: the {part} part has not {wanted} {dataset.classes} classes",
                hint="is it another data set's files? point to the right ones with --data DIR",
            )
