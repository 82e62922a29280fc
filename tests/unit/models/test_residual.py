"""Shortcuts, by hand."""

from __future__ import annotations

import torch
from torch import nn

from prunectl.models.residual import Basic, PadChannels, Preactivated, Triple, preact_resnet, shortcut


def test_the_shortcut_without_parameters_takes_every_second_pixel_and_adds_zero_channels() -> None:
    images = torch.arange(32.0).view(1, 2, 4, 4)
    out = PadChannels(2, 4, stride=2)(images)
    assert out.shape == (1, 4, 2, 2)
    assert out[0, 1].tolist() == [[0, 2], [8, 10]]
    assert out[0, 2].tolist() == [[16, 18], [24, 26]]
    assert not out[0, [0, 3]].any()


def test_a_block_that_keeps_its_shape_adds_its_input_itself() -> None:
    for kind in ("identity", "projection", "projection-bn"):
        assert isinstance(shortcut(kind, 16, 16, 1, 0.1), nn.Identity)
    block = Basic(3, 3, 1, "projection", 0.1)
    nn.init.zeros_(block.bn2.weight)
    images = torch.randn(2, 3, 5, 5)
    assert torch.equal(block(images), images.relu())


def test_a_wide_block_that_changes_shape_projects_the_activated_input() -> None:
    block = Preactivated(3, 6, 2, 0.1).eval()
    nn.init.zeros_(block.conv2.weight)
    images = torch.randn(2, 3, 4, 4)
    activated = block.relu1(block.bn1(images))
    assert torch.equal(block(images), block.shortcut(activated))


def test_a_wide_block_that_keeps_its_shape_adds_the_raw_input() -> None:
    block = Preactivated(3, 3, 1, 0.1)
    nn.init.zeros_(block.conv2.weight)
    images = torch.randn(2, 3, 4, 4)
    assert torch.equal(block(images), images)


def test_the_first_preactivated_block_of_a_network_shares_its_activation() -> None:
    network = preact_resnet((2, 2), channels=3, width=4, classes=5, kind="identity", momentum=0.1)
    first, second = network.get_submodule("layer1").children()
    assert isinstance(first, Preactivated) and isinstance(second, Preactivated)
    images = torch.randn(2, 4, 6, 6)
    for block, shared in ((first, True), (second, False)):
        nn.init.zeros_(block.conv2.weight)
        assert torch.equal(block(images), block.relu1(block.bn1(images)) if shared else images)


def test_a_block_of_three_convolutions_adds_its_projection_and_halves_the_image() -> None:
    block = Triple(3, 5, 0.1).eval()
    nn.init.zeros_(block.bn3.weight)
    images = torch.randn(2, 3, 7, 6)
    assert torch.equal(block(images), block.pool(nn.functional.leaky_relu(block.shortcut(images), 0.1)))
    assert block(images).shape == (2, 5, 3, 3)
