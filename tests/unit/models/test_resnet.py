"""Residual networks: how large their stages are, and what their options change."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from prunectl.models.residual import Bottleneck, PadChannels
from unit.models.building import CIFAR, IMAGENET, built, outputs, trainable

STAGES = ("layer1", "layer2", "layer3", "layer4")


def stages(name: str, shape: tuple[int, int, int], **options: Any) -> list[tuple[int, ...]]:
    found = outputs(built(name, shape, 10, **options), shape)
    return [found[stage] for stage in STAGES if stage in found]


@pytest.mark.parametrize("shortcut", ["identity", "projection", "projection-bn"])
def test_stages_of_a_cifar_resnet_double_in_width_and_halve_in_size(shortcut: str) -> None:
    assert stages("resnet-20", CIFAR, shortcut=shortcut) == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]


@pytest.mark.parametrize("shortcut", ["identity", "projection", "projection-bn"])
def test_odd_sides_are_halved_upwards_on_both_paths(shortcut: str) -> None:
    assert stages("resnet-20", (3, 31, 33), shortcut=shortcut) == [(16, 31, 33), (32, 16, 17), (64, 8, 9)]


def test_the_small_stem_keeps_the_image_s_size() -> None:
    assert stages("resnet-18", CIFAR) == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]


def test_the_large_stem_quarters_the_image_before_the_first_stage() -> None:
    assert stages("resnet-18", IMAGENET, stem="imagenet") == [(64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7)]


def test_bottlenecks_give_four_times_their_width() -> None:
    assert stages("resnet-50", CIFAR) == [(256, 32, 32), (512, 16, 16), (1024, 8, 8), (2048, 4, 4)]


def test_a_wide_network_is_eight_times_as_wide_as_16_32_64() -> None:
    assert stages("wrn-16-8", CIFAR) == [(128, 32, 32), (256, 16, 16), (512, 8, 8)]


def test_the_large_stem_costs_7_680_weights_more() -> None:
    """Kernels of 7×7 instead of 3×3 from 3 to 64 channels: 40 · 192."""
    large, small = (trainable(built("resnet-18", IMAGENET, 10, stem=stem)) for stem in ("imagenet", "cifar"))
    assert large - small == 7_680


def test_two_projections_cost_2_560_weights_and_their_batchnorms_192() -> None:
    """16 · 32 + 32 · 64 weights; a scale and a shift for each of 32 + 64 channels."""
    sizes = [trainable(built("resnet-56", CIFAR, 10, shortcut=kind)) for kind in ("projection", "projection-bn")]
    plain = trainable(built("resnet-56", CIFAR, 10))
    assert [size - plain for size in sizes] == [2_560, 2_752]


@pytest.mark.parametrize(("name", "convolutions"), [("resnet-20", 19), ("resnet-56", 55), ("resnet-110", 109)])
def test_a_cifar_resnet_counts_its_layers_in_its_name(name: str, convolutions: int) -> None:
    """Shortcuts do not count: by default they have no weights. The head is the last layer."""
    assert sum(isinstance(module, nn.Conv2d) for module in built(name, CIFAR, 10).modules()) == convolutions


def test_only_the_two_blocks_that_change_shape_pad_channels() -> None:
    padded = [name for name, module in built("resnet-20", CIFAR, 10).named_modules() if isinstance(module, PadChannels)]
    assert padded == ["layer2.0.shortcut", "layer3.0.shortcut"]


def test_the_first_stage_of_bottlenecks_has_a_shortcut_for_its_channels_alone() -> None:
    block = built("resnet-50", CIFAR, 10).get_submodule("layer1.0.shortcut.conv")
    assert isinstance(block, nn.Conv2d)
    assert (block.in_channels, block.out_channels, block.stride) == (64, 256, (1, 1))


def test_a_bottleneck_strides_in_its_3x3_convolution() -> None:
    block = Bottleneck(8, 4, 2, "projection-bn", 0.1)
    assert [conv.stride for conv in (block.conv1, block.conv2, block.conv3)] == [(1, 1), (2, 2), (1, 1)]
