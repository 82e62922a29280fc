"""The digits that come with prunectl."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from prunectl.datasets.digits import DATA, Digits
from prunectl.datasets.fingerprint import digest_of


def test_the_data_are_small_and_name_their_source_and_licence() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 100_000
    source = (DATA / "SOURCE.txt").read_text()
    assert "Alpaydin" in source and "CC BY 4.0" in source and "scikit-learn" in source


def test_they_are_the_authors_digits_whatever_the_root(tmp_path: Path) -> None:
    arrays = Digits().arrays(tmp_path / "nowhere")
    assert digest_of(arrays) == Digits.fingerprint
    # The first image of the file is a 0; its second row is 0 0 13 15 10 15 5 0 of 16.
    assert arrays.train_labels[0] == 0
    assert arrays.train_images[0, 0, 1].tolist() == [0, 0, 207, 239, 159, 239, 80, 0]


def test_both_parts_use_the_whole_range_of_pixels_in_17_levels() -> None:
    arrays = Digits().arrays(Path())
    levels = np.unique(arrays.train_images)
    assert len(levels) == 17 and levels[0] == 0 and levels[-1] == 255


def test_a_fifth_of_every_class_is_the_test_part() -> None:
    arrays = Digits().arrays(Path())
    train, test = np.bincount(arrays.train_labels), np.bincount(arrays.test_labels)
    assert test.tolist() == ((train + test) // 5).tolist()
    assert (len(arrays.train_labels), len(arrays.test_labels)) == (Digits.train_size, Digits.test_size)


def test_no_digit_is_in_both_parts() -> None:
    arrays = Digits().arrays(Path())
    train = {image.tobytes() for image in arrays.train_images}
    assert not train & {image.tobytes() for image in arrays.test_images}


def test_the_declared_constants_are_those_of_the_training_images() -> None:
    scaled = Digits().arrays(Path()).train_images / 255
    assert np.allclose(scaled.mean(axis=(0, 2, 3)), Digits.mean, atol=1e-5)
    assert np.allclose(scaled.std(axis=(0, 2, 3)), Digits.std, atol=1e-5)
