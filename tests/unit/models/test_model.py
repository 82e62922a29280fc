"""What holds for every network of the catalogue, in addition to `contract/test_models.py`."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from prunectl.catalog.lookup import names
from unit.models.building import CIFAR, MNIST, Shape, built, model

MODELS = names("models")


@pytest.mark.parametrize("shape", [(4, 45, 33)])
@pytest.mark.parametrize("name", MODELS)
def test_images_of_any_channels_and_sides_give_one_logit_a_class(name: str, shape: Shape) -> None:
    assert built(name, shape, 5)(torch.empty((2, *shape), device="meta")).shape == (2, 5)


@pytest.mark.parametrize("name", MODELS)
def test_the_least_image_that_is_taken_goes_through(name: str) -> None:
    side = model(name).smallest
    assert built(name, (3, side, side), 5).eval()(torch.empty((1, 3, side, side), device="meta")).shape == (1, 5)


@pytest.mark.parametrize(("name", "side"), [("vgg16", 15), ("mnist-cnn", 15), ("tiny-cnn", 3)])
def test_a_network_is_not_built_for_images_that_it_cannot_take(name: str, side: int) -> None:
    with pytest.raises(
        ValueError, match=f"{name} needs images of at least {side + 1}x{side + 1} pixels, not 40x{side}"
    ):
        model(name).build((3, 40, side), 10)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("resnet-20", {"shortcut": "none"}, 'must be one of "identity", "projection", "projection-bn", not "none"'),
        ("resnet-18", {"stem": "mnist"}, 'must be one of "cifar", "imagenet", not "mnist"'),
        ("resnet-18", {"shortcut": "identity"}, "unknown key; allowed here: bn_momentum, stem"),
        ("wrn-16-8", {"bn_momentum": 0}, "must be a number, more than 0 and at most 1, not 0"),
        ("vgg16", {"bn_momentum": 1.5}, "must be a number, more than 0 and at most 1, not 1.5"),
        ("vgg16", {"conv_bias": 1}, "must be true or false, not 1"),
        ("lenet-5", {"pool": "mean"}, 'must be one of "max", "avg", not "mean"'),
        ("tiny-cnn", {"width": 3}, "unknown key; no key is allowed here"),
    ],
)
def test_an_option_that_a_network_does_not_have_is_refused_in_words(
    name: str, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model(name, **options)
    assert [error["msg"] for error in caught.value.errors()] == [told]


@pytest.mark.parametrize("name", ["vgg11", "vgg16", "vgg19"])
def test_convolutions_of_vgg_have_no_bias_unless_asked_for(name: str) -> None:
    for wanted in (False, True):
        convs = [
            module for module in built(name, CIFAR, 10, conv_bias=wanted).modules() if isinstance(module, nn.Conv2d)
        ]
        assert {conv.bias is not None for conv in convs} == {wanted}


def test_vgg_averages_what_four_pools_leave() -> None:
    network = built("vgg16", CIFAR, 10)
    images = torch.empty((1, *CIFAR), device="meta")
    for name, child in network.named_children():
        if name == "average":
            break
        images = child(images)
    assert images.shape == (1, 512, 2, 2)


def test_a_network_for_digits_takes_one_channel() -> None:
    assert {name: next(built(name, MNIST, 10).parameters()).shape[1] for name in ("vgg16", "resnet-20")} == {
        "vgg16": 1, "resnet-20": 1,
    }  # fmt: skip
