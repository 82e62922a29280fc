"""FLOPs against published numbers and by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from prunectl.models.flops import layer_flops
from unit.models.building import CIFAR, IMAGENET, MNIST, Shape, built


@pytest.mark.parametrize(
    ("name", "shape", "classes", "options", "multiplications"),
    [
        ("lenet-300-100", MNIST, 10, {}, 266_200),  # each weight once
        ("lenet-5", MNIST, 10, {}, 416_520),  # 150 · 28² + 2,400 · 10² + 48,000 + 10,080 + 840
        ("resnet-20", CIFAR, 10, {}, 40_551_040),  # 0.44 M + 14.16 M + 2 · 12.98 M + 640
        ("resnet-18", IMAGENET, 1000, {"stem": "imagenet"}, 1_814_073_344),  # torchvision: 1.814 G
    ],
)
def test_two_flops_are_counted_for_each_multiplication(
    name: str, shape: Shape, classes: int, options: dict[str, Any], multiplications: int
) -> None:
    assert sum(layer_flops(built(name, shape, classes, **options), shape).values()) == 2 * multiplications


def test_resnet_50_has_torchvision_s_4_089_billion_multiplications() -> None:
    flops = layer_flops(built("resnet-50", IMAGENET, 1000, stem="imagenet"), IMAGENET)
    assert round(sum(flops.values()) / 2e9, 3) == 4.089


def test_layers_are_named_as_their_weights_in_the_order_of_the_network() -> None:
    """Groups share the input: 8 kernels of 2 · 9 weights at 3 · 3 places."""
    network = nn.Sequential(nn.Conv2d(4, 8, 3, stride=2, groups=2), nn.Flatten(), nn.Linear(72, 5))
    assert layer_flops(network, (4, 7, 7)) == {"0.weight": 2 * 8 * 18 * 9, "2.weight": 2 * 72 * 5}


def test_counting_leaves_the_network_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layer_flops(network, (1, 4, 4))
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network[0]._forward_hooks
