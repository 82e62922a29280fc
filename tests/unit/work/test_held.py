"""Data sets that a process has read once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch

from prunectl.catalog.dataset import Arrays, Dataset
from prunectl.datasets import load as loading
from prunectl.datasets.digits import Digits
from prunectl.plan.steps import Data
from prunectl.work import held


@pytest.fixture(autouse=True)
def read(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The limits of the parts that were made."""
    limits: list[int | None] = []

    def counted(
        dataset: Dataset, arrays: Arrays, train_limit: int | None, test_limit: int | None, validation: int
    ) -> loading.Tensors:
        limits.append(train_limit)
        return loading.limited(dataset, arrays, train_limit, test_limit, validation)

    monkeypatch.setattr(held, "limited", counted)
    return limits


def digits(limit: int) -> Data:
    fingerprint = "70931fb9a06056a95ec50271a64a6b29c089f1a7e185f0f3d242b5be52a6cff9"
    return Data(dataset=Digits(), fingerprint=fingerprint, train_limit=limit, test_limit=50)


def test_a_data_set_is_read_once(read: list[int | None]) -> None:
    images = held.read(digits(100), Path())
    assert held.read(digits(100), Path()) is images
    assert images.train_images.shape[0] == 100
    assert read == [100]


def test_only_the_last_few_are_kept_and_the_one_in_use_is_one_of_them(read: list[int | None]) -> None:
    for limit in (10, 20, 30, 40, 10, 50, 10):
        held.read(digits(limit), Path())
    assert read == [10, 20, 30, 40, 50]
    assert len(held._READ) == held.MOST


def test_what_cannot_be_read_is_not_kept() -> None:
    wrong = replace(digits(100), fingerprint="0" * 64)
    for _ in range(2):
        with pytest.raises(Exception, match="digits"):
            held.read(wrong, Path())
    assert not held._READ


def test_a_copy_in_another_layout_or_on_a_device_is_made_once() -> None:
    images, cpu = held.read(digits(100), Path()).train_images, torch.device("cpu")
    assert held.on(cpu, images) is images
    copy = held.laid_out(images, cpu, torch.channels_last)
    assert held.laid_out(images, cpu, torch.channels_last) is copy
    assert torch.equal(copy, images) and copy.is_contiguous(memory_format=torch.channels_last)
    meta = held.on(torch.device("meta"), images)
    assert held.on(torch.device("meta"), images) is meta
    for number in range(2 * held.MOST_COPIES):
        held.laid_out(torch.full((1, 1, 2, 2), number), cpu, torch.channels_last)
    assert len(held._LAID_OUT) == held.MOST_COPIES


class Full:
    """Images for a GPU on which there is room for two copies."""

    def __init__(self, name: str) -> None:
        self.name = name

    def to(self, device: torch.device, memory_format: torch.memory_format) -> str:
        if sum(key[1] == device for key in held._LAID_OUT) >= 2:
            raise torch.OutOfMemoryError
        return f"{self.name} on {device}"


def test_on_a_gpu_whose_memory_is_full_the_copies_used_least_recently_make_room() -> None:
    """A stand-in for a GPU: neither its memory nor its tensors are real."""
    first, second, layout = torch.device("cuda:0"), torch.device("cuda:1"), torch.channels_last
    a, b, c = (Full(name) for name in "abc")
    for images, device in ((a, second), (a, first), (b, first), (a, first), (c, first)):
        assert held.laid_out(cast("torch.Tensor", images), device, layout) == f"{images.name} on {device}"
    left: list[tuple[object, torch.device]] = [(kept[0], key[1]) for key, kept in held._LAID_OUT.items()]
    assert left == [(a, second), (a, first), (c, first)]


def test_what_does_not_fit_into_an_empty_gpu_is_reported() -> None:
    class Large(Full):
        def to(self, device: torch.device, memory_format: torch.memory_format) -> str:
            raise torch.OutOfMemoryError("larger than the GPU")

    device = torch.device("cuda:0")
    held.laid_out(cast("torch.Tensor", Full("a")), device, torch.channels_last)
    with pytest.raises(torch.OutOfMemoryError, match="larger"):
        held.laid_out(cast("torch.Tensor", Large("b")), device, torch.channels_last)
    assert not held._LAID_OUT
