"""Inverted residuals, gates and stochastic depth, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from prunectl.models.flops import flops_of
from prunectl.models.inverted import Inverted, SqueezeExcite, Stage, StochasticDepth, Style, divisible
from unit.models.building import CIFAR, built, outputs

PLAIN = Style(activation=nn.ReLU6, squeezes=False, stochastic_depth=0.0, momentum=0.1)
GATED = Style(activation=nn.SiLU, squeezes=True, stochastic_depth=0.0, momentum=0.1)


@pytest.mark.parametrize(
    ("channels", "rounded"), [(1, 8), (16, 16), (22.4, 24), (33.6, 32), (44.8, 48), (12, 16), (11, 16)]
)
def test_numbers_of_channels_are_multiples_of_eight_and_lose_at_most_a_tenth(channels: float, rounded: int) -> None:
    assert divisible(channels) == rounded


def test_a_channel_is_weighed_by_the_means_of_all() -> None:
    block = SqueezeExcite(4, 2, nn.SiLU)
    images = torch.randn(3, 4, 5, 5)
    first, second = (nn.Linear(4, 2), nn.Linear(2, 4))
    for linear, conv in ((first, block.reduce), (second, block.expand)):
        state = conv.state_dict()
        linear.load_state_dict({"weight": state["weight"].flatten(1), "bias": state["bias"]})
    weights = torch.sigmoid(second(nn.functional.silu(first(images.mean((2, 3))))))
    torch.testing.assert_close(block(images), images * weights[:, :, None, None])


def test_an_image_is_left_out_as_a_whole_in_training_alone() -> None:
    layer = StochasticDepth(0.25)
    images = torch.ones(400, 3, 2, 2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        out = layer(images)
    assert out.shape == images.shape
    kept = out.flatten(1).bool()
    assert (kept.all(1) | ~kept.any(1)).all()
    assert 0.68 < float(kept.float().mean()) < 0.82
    torch.testing.assert_close(out[kept.all(1)], images[kept.all(1)] / 0.75)
    assert layer.eval()(images) is images


def test_a_block_adds_its_input_where_the_shape_stays() -> None:
    stage = Stage(expansion=2, kernel=3, stride=2, outputs=6, repeats=2)
    adding, striding, widening = (
        Inverted(inputs, stage, stride, PLAIN, 0.0) for inputs, stride in ((6, 1), (6, 2), (4, 1))
    )
    images = torch.randn(2, 6, 5, 5)
    assert torch.equal(adding(images), adding.body(images) + images)
    assert (adding.adds, striding.adds, widening.adds) == (True, False, False)
    assert striding(images).shape == (2, 6, 3, 3)


def test_only_the_last_halvings_stay_for_small_images_and_blocks_are_left_out_ever_more_often() -> None:
    network = built("efficientnet-b0", CIFAR, 10)
    sides = [size[1] for name, size in outputs(network, CIFAR).items() if name.startswith("layer")]
    assert sides == [32, 32, 16, 8, 8, 4, 4]
    depths = [each.drop.p for each in network.modules() if isinstance(each, StochasticDepth)]
    assert depths == pytest.approx([0.2 * block / 16 for block in (2, 4, 6, 7, 9, 10, 12, 13, 14)])
    large = outputs(built("mobilenet-v2", (3, 64, 64), 10, stem="imagenet"), (3, 64, 64))
    assert [size[1] for name, size in large.items() if name.startswith("layer")] == [32, 16, 8, 4, 4, 2, 2]


def test_flops_of_a_gated_block_are_those_of_its_convolutions() -> None:
    """8 channels, 16 inside, images of 6x6: 1x1, depthwise 3x3, two of one pixel for the gates, 1x1."""
    block = Inverted(8, Stage(expansion=2, kernel=3, stride=1, outputs=8, repeats=1), 1, GATED, 0.0)
    pixels = 36
    products = pixels * 8 * 16 + pixels * 16 * 9 + 16 * 2 + 2 * 16 + pixels * 16 * 8
    weights = [name for name, value in block.named_parameters() if value.dim() == 4]
    flops = flops_of(block, (8, 6, 6), weights)
    assert flops.dense == 2 * products
    half = {
        name: torch.zeros(value.shape, dtype=torch.bool)
        for name, value in block.named_parameters()
        if "depthwise" in name
    }
    assert flops.pruned(half) == 2 * (products - pixels * 16 * 9)
