"""What a data set declares before its files are read."""

from __future__ import annotations

from prunectl.datasets.mnist import Mnist
from prunectl.datasets.pictures import ImageFolder


def test_a_size_that_only_the_files_have_is_not_known() -> None:
    known = Mnist().known()
    assert (known.shape, known.classes, known.train_size, known.test_size) == ((1, 28, 28), 10, 60_000, 10_000)
    folder = ImageFolder.model_construct(root="pictures", size=32).known()
    assert (folder.classes, folder.train_size, folder.test_size) == (None, None, None)
