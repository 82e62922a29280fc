"""Classes of hardware: which may be the same, and when a table mixes them."""

from __future__ import annotations

import pytest

from prunectl.store.hardware import HardwareClass, counted, mixture

AVX2 = HardwareClass(device="cpu/x86_64/AVX2", threads=1)
AVX512 = HardwareClass(device="cpu/x86_64/AVX512", threads=1)
TWO = HardwareClass(device="cpu/x86_64/AVX2", threads=2)
OLD = HardwareClass(device="cpu")
T4 = HardwareClass(device="cuda/Tesla T4")


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        (AVX2, AVX2, True),
        (AVX2, AVX512, False),
        (AVX2, TWO, False),
        (AVX2, T4, False),
        (OLD, AVX2, True),
        (OLD, TWO, True),
        (OLD, T4, False),
        (HardwareClass(device="cpu/x86_64/AVX", threads=1), AVX2, False),
    ],
)
def test_two_classes_may_be_one_if_nothing_that_is_known_differs(
    one: HardwareClass, other: HardwareClass, may: bool
) -> None:
    assert one.may_be(other) is other.may_be(one) is may


def test_a_table_of_one_class_needs_no_sentence() -> None:
    assert mixture({}) == mixture(counted([AVX2, AVX2])) == mixture(counted([OLD, AVX2])) == ""


def test_a_mixture_is_one_sentence_with_counts_the_most_frequent_first() -> None:
    text = mixture(counted([OLD, T4, TWO, TWO]))
    assert text.startswith(
        "The steps were made on different hardware or numbers of threads: "
        "2 on cpu/x86_64/AVX2 with 2 threads, 1 on cpu and 1 on cuda/Tesla T4. "
    )
