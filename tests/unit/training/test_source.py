"""Batches out of memory: the same numbers in the same layout as picking images one by one."""

from __future__ import annotations

import pytest
import torch

from prunectl.training.source import InMemory


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_batch_is_what_indexing_gives(channels: int, layout: torch.memory_format) -> None:
    images = torch.randint(0, 256, (20, channels, 5, 4), dtype=torch.uint8).contiguous(memory_format=layout)
    chosen = torch.randperm(20)[:7]
    (batch,) = InMemory(images, torch.zeros(20)).batches([chosen])
    assert torch.equal(batch, images[chosen])
    assert batch.stride() == images[chosen].stride(), "a convolution may leave other bits for another layout"
    batch.zero_()
    assert images.any(), "a batch is a copy: an augmentation may change it in place"


def test_images_that_are_not_one_piece_of_memory_are_indexed() -> None:
    images = torch.arange(2 * 3 * 4 * 8, dtype=torch.uint8).view(2, 3, 4, 8)[:, :, :, ::2]
    (batch,) = InMemory(images, torch.zeros(2)).batches([torch.tensor([1])])
    assert torch.equal(batch, images[1:])


def test_a_run_is_a_view() -> None:
    images = torch.zeros(4, 1, 2, 2, dtype=torch.uint8)
    (batch,) = InMemory(images, torch.zeros(4)).batches([slice(1, 3)])
    batch.fill_(1)
    assert images.flatten(1).any(dim=1).tolist() == [False, True, True, False]
