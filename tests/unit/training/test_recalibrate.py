"""BatchNorm statistics measured again are the averages over the images."""

from __future__ import annotations

import pytest
import torch

from networks import SHAPE, small_network
from prunectl.base.errors import MethodError
from prunectl.training.pixels import Normalize
from prunectl.training.recalibrate import recalibrate
from prunectl.training.source import InMemory

NORMALIZE = Normalize([0.5], [0.3], torch.device("cpu"))


def test_statistics_are_those_of_the_images_and_no_weight_moves() -> None:
    network = small_network()
    before = {name: value.clone() for name, value in network.named_parameters()}
    images = torch.randint(0, 256, (300, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    recalibrate(network, InMemory(images, torch.zeros(300)), NORMALIZE)
    first, norm = network[0], network[1]
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        outputs = first(NORMALIZE(images))
    torch.testing.assert_close(norm.running_mean, outputs.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, outputs.var((0, 2, 3)))
    assert norm.momentum == 0.1
    assert all(torch.equal(value, before[name]) for name, value in network.named_parameters())


@pytest.mark.parametrize("count", [1000, 501])
def test_statistics_do_not_depend_on_the_order_of_the_classes(count: int) -> None:
    """Dark pictures, then bright ones, as they lie in folders; and a last batch of one image, or of many."""
    network = small_network()
    draws = torch.Generator().manual_seed(1)
    images = torch.randint(0, 60, (count, *SHAPE), dtype=torch.uint8, generator=draws)
    images[count // 2 :] += 190
    recalibrate(network, InMemory(images, torch.zeros(count)), NORMALIZE)
    first, norm = network[0], network[1]
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        outputs = first(NORMALIZE(images))
    torch.testing.assert_close(norm.running_mean, outputs.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, outputs.var((0, 2, 3)), rtol=0.02, atol=0)


def test_statistics_are_the_same_every_time() -> None:
    images = torch.randint(0, 256, (600, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    one, other = small_network(), small_network()
    for network in (one, other):
        recalibrate(network, InMemory(images, torch.zeros(600)), NORMALIZE)
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    assert all(torch.equal(left, right) for left, right in pairs)


def test_without_batch_norm_there_is_nothing_to_do() -> None:
    with pytest.raises(MethodError, match="no BatchNorm"):
        plain = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 3))
        recalibrate(plain, InMemory(torch.zeros(1), torch.zeros(1)), NORMALIZE)
