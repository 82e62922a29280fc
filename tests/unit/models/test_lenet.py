"""LeNets: what their options change, and what images they take."""

from __future__ import annotations

import pytest
from torch import nn

from unit.models.building import CIFAR, MNIST, Shape, built, kernels, model, outputs, trainable


def test_digits_are_padded_to_32_pixels_as_in_the_paper() -> None:
    """32 − 4 = 28, halved 14, − 4 = 10, halved 5: 16 maps of 5×5 are 400 inputs."""
    found = outputs(built("lenet-5", MNIST, 10), MNIST)
    assert [found[name] for name in ("conv1", "pool1", "conv2", "pool2", "flatten")] == [
        (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (400,),
    ]  # fmt: skip


def test_larger_images_are_not_padded() -> None:
    """40 − 4 = 36, halved 18, − 4 = 14, halved 7."""
    assert outputs(built("lenet-5", (1, 40, 40), 10), (1, 40, 40))["pool2"] == (16, 7, 7)


@pytest.mark.parametrize("side", [1, 8, 27, 29, 31, 32])
def test_every_smaller_image_ends_in_maps_of_5x5(side: int) -> None:
    assert outputs(built("lenet-5", (1, side, side), 10), (1, side, side))["pool2"] == (16, 5, 5)


def test_height_and_width_are_padded_apart() -> None:
    shape = (1, 28, 40)
    assert outputs(built("lenet-5", shape, 10), shape)["pool2"] == (16, 5, 7)


@pytest.mark.parametrize("name", ["lenet-5", "lenet-300-100"])
def test_tanh_replaces_every_relu(name: str) -> None:
    kinds = [type(module) for module in built(name, MNIST, 10, activation="tanh").modules()]
    plain = [type(module) for module in built(name, MNIST, 10).modules()]
    assert nn.ReLU not in kinds
    assert kinds.count(nn.Tanh) == plain.count(nn.ReLU) > 0


def test_averages_replace_both_max_pools() -> None:
    kinds = [type(module) for module in built("lenet-5", MNIST, 10, pool="avg").modules()]
    assert (kinds.count(nn.AvgPool2d), kinds.count(nn.MaxPool2d)) == (2, 0)


def test_the_paper_s_options_add_no_parameter() -> None:
    assert trainable(built("lenet-5", MNIST, 10, activation="tanh", pool="avg")) == 61_706


def test_the_fully_connected_network_has_266_200_weights_on_digits() -> None:
    """784 · 300 + 300 · 100 + 100 · 10."""
    assert kernels(built("lenet-300-100", MNIST, 10)) == 266_200


def test_the_thesis_network_has_430_500_weights_on_digits() -> None:
    assert kernels(built("mnist-cnn", MNIST, 10)) == 430_500


@pytest.mark.parametrize(("name", "activations"), [("lenet-5", 2), ("mnist-cnn", 1)])
def test_caffes_lenet_has_no_activation_after_its_convolutions(name: str, activations: int) -> None:
    network = built(name, MNIST, 10, activation_after_conv=False)
    order = [type(module) for module in network.children()]
    for place in (place for place, kind in enumerate(order) if kind is nn.Conv2d):
        assert order[place + 1] is nn.MaxPool2d
    assert order.count(nn.ReLU) == activations
    assert trainable(network) == trainable(built(name, MNIST, 10))


@pytest.mark.parametrize("name", ["lenet-5", "mnist-cnn"])
def test_a_network_with_activations_after_convolutions_keeps_its_key(name: str) -> None:
    assert "activation_after_conv" not in model(name).preimage()
    assert model(name, activation_after_conv=False).preimage()["activation_after_conv"] is False


def test_colour_images_enter_the_fully_connected_network_flat() -> None:
    assert outputs(built("lenet-300-100", CIFAR, 10), CIFAR)["flatten"] == (3072,)


@pytest.mark.parametrize(("shape", "taken"), [((1, 16, 16), True), ((1, 15, 16), False), ((1, 16, 15), False)])
def test_the_thesis_network_takes_images_from_16_pixels_on(shape: Shape, taken: bool) -> None:
    """16 − 4 = 12, halved 6, − 4 = 2, halved 1; of 15 nothing is left."""
    assert (model("mnist-cnn").refusal(shape) is None) is taken


def test_the_least_image_of_the_thesis_network_leaves_one_pixel() -> None:
    assert outputs(built("mnist-cnn", (1, 16, 16), 10), (1, 16, 16))["pool2"] == (50, 1, 1)
