"""The fingerprint of a data set: two copies with the same one have the same pixels and labels in the same order.

SHA-256 over, for train and then test: a line of ASCII with the shape, "N,C,H,W\\n"; the images as uint8 in that
order; the labels as uint8. Without torch, because the planner calls it.

Of images in a memory-mapped file of more than WHOLE_BYTES, SAMPLES of them enter, evenly spaced: reading all of a file
that is larger than memory, once for each step, would take longer than the steps. All labels enter.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from prunectl.base.errors import DataError
from prunectl.catalog.dataset import Arrays, Dataset
from prunectl.datasets.locate import changed

WHOLE_BYTES = 2 << 30
SAMPLES = 1024


def digest_of(arrays: Arrays) -> str:
    """The fingerprint of a data set in memory, in hex."""
    import numpy as np

    digest = hashlib.sha256()
    for images, labels in (
        (arrays.train_images, arrays.train_labels),
        (arrays.test_images, arrays.test_labels),
    ):
        digest.update((",".join(map(str, images.shape)) + "\n").encode())
        if isinstance(images, np.memmap) and images.nbytes > WHOLE_BYTES:
            images = images[np.unique(np.linspace(0, len(images) - 1, SAMPLES).astype(np.int64))]
        digest.update(np.ascontiguousarray(images).data)
        digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


def fingerprint_of(dataset: Dataset, root: Path) -> str:
    """The declared fingerprint, or else that of the files under the root, after a check of their labels."""
    if dataset.fingerprint is not None:
        return dataset.fingerprint
    return verified(dataset, root)[1]


def verified(dataset: Dataset, root: Path) -> tuple[Arrays, str]:
    """The data set and its fingerprint. Raises DataError if it is not the declared one."""
    arrays = dataset.arrays(root)
    if not isinstance(arrays, Arrays):
        kind = type(arrays).__name__
        hint = "return prunectl.Arrays(train_images=..., train_labels=..., test_images=..., test_labels=...)"
        raise DataError(f"arrays of {dataset.name} returns {kind}, not Arrays", hint=hint)
    _check_labels(dataset, arrays)
    actual = digest_of(arrays)
    if dataset.fingerprint not in (None, actual):
        raise DataError(
            f"{dataset.name} under {root} is not the original: its content has fingerprint {actual}, "
            f"expected {dataset.fingerprint}",
            hint="delete it and download the data set again",
        )
    return arrays, actual


def original(dataset: Dataset, root: Path, fingerprint: str | None) -> Arrays:
    """The whole data set, which is the one with this fingerprint, if it is given: that of the plan.

    Raises DataError if the data set is missing, damaged, or not the declared or the planned one.
    """
    arrays, actual = verified(dataset, root)
    if fingerprint not in (None, actual):
        raise changed(dataset.name, root)
    return arrays


def _check_labels(dataset: Dataset, arrays: Arrays) -> None:
    import numpy as np

    for part, labels in (("training", arrays.train_labels), ("test", arrays.test_labels)):
        counts = np.bincount(labels, minlength=dataset.classes)
        problem = None
        if len(counts) > dataset.classes:
            problem = f"has labels beyond its {dataset.classes} classes"
        elif dataset.balanced and counts.min() != counts.max():
            problem = f"does not have equally many images of each of its {dataset.classes} classes"
        if problem:
            raise DataError(
                f"{dataset.name}: the {part} part {problem}",
                hint="are these the files of another data set? choose the directory with --data DIR",
            )
