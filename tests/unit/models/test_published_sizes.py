"""Networks have the parameters that were published."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from unit.models.building import CIFAR, IMAGENET, MNIST, built, kernels, model, trainable


@pytest.mark.parametrize(
    ("name", "parameters", "weights"),
    [
        ("resnet-20", 272_282, 270_896),
        ("resnet-56", 855_578, 851_504),
        ("resnet-110", 1_730_522, 1_722_416),
    ],
)
def test_resnets_with_bare_projections_have_the_sizes_of_seed_003(name: str, parameters: int, weights: int) -> None:
    network = built(name, CIFAR, 10, shortcut="projection")
    assert (trainable(network), kernels(network)) == (parameters, weights)


def test_wrn_16_8_has_the_size_of_seed_003() -> None:
    network = built("wrn-16-8", CIFAR, 10)
    assert (trainable(network), kernels(network)) == (10_961_370, 10_954_160)


@pytest.mark.parametrize(
    ("name", "options", "shape", "classes", "parameters"),
    [
        ("lenet-300-100", {}, MNIST, 10, 266_610),  # Han et al. (2015): 267 K
        ("lenet-5", {}, MNIST, 10, 61_706),
        ("mnist-cnn", {}, MNIST, 10, 431_080),  # Han et al. (2015), Caffe's LeNet-5: 431 K
        ("vgg16", {"conv_bias": True}, CIFAR, 10, 14_728_266),  # open_lth
        ("resnet-20", {}, CIFAR, 10, 269_722),  # He et al. (2016), Table 6: 0.27 M
        ("resnet-56", {}, CIFAR, 10, 853_018),  # 0.85 M
        ("resnet-110", {}, CIFAR, 10, 1_727_962),  # 1.7 M
        ("resnet-20", {"shortcut": "projection-bn"}, CIFAR, 10, 272_474),  # open_lth
        ("resnet-18", {}, CIFAR, 10, 11_173_962),
        ("resnet-18", {"stem": "imagenet"}, IMAGENET, 1000, 11_689_512),  # torchvision
        ("resnet-50", {"stem": "imagenet"}, IMAGENET, 1000, 25_557_032),  # torchvision
        ("resnet-50", {}, CIFAR, 10, 23_520_842),  # torchvision's less its head and stem, with 2,048 × 10 and 3×3
        ("resnet-18", {}, CIFAR, 100, 11_220_132),
        ("wrn-16-8", {}, CIFAR, 100, 11_007_540),  # Zagoruyko & Komodakis (2016), Table 4: 11.0 M
        ("lenet-5", {}, CIFAR, 10, 62_006),  # two more planes of 6 kernels of 5×5
        ("vgg11", {"conv_bias": True}, CIFAR, 10, 9_231_114),
        ("vgg11", {}, CIFAR, 10, 9_228_362),  # 2,752 channels fewer
        ("vgg19", {"conv_bias": True}, CIFAR, 10, 20_040_522),
        ("tiny-cnn", {}, (1, 8, 8), 10, 6_138),
        ("resnet-32", {}, CIFAR, 10, 464_154),  # He et al. (2016), Table 6: 0.46 M
        ("resnet-44", {}, CIFAR, 10, 658_586),  # 0.66 M
        ("resnet-34", {"stem": "imagenet"}, IMAGENET, 1000, 21_797_672),  # torchvision
        ("preact-resnet-20", {}, CIFAR, 10, 269_722),  # as many as without preactivation
        ("preact-resnet-56", {}, CIFAR, 10, 853_018),
        ("preact-resnet-20", {"shortcut": "projection"}, CIFAR, 10, 272_282),
        ("preact-resnet-18", {}, CIFAR, 10, 11_172_170),  # with the BatchNorm of 512 channels before the average
        ("resnet-12", {}, (3, 84, 84), 64, 12_424_320 + 641 * 64),  # Tian et al. (2020): 12.4 M before the head
        ("resnet-12", {"widths": "64-128-256-512"}, (3, 84, 84), 64, 7_996_800 + 513 * 64),  # 8.0 M
        ("mobilenet-v2", {"stem": "imagenet"}, IMAGENET, 1000, 3_504_872),  # Sandler et al. (2018), Table 4: 3.4 M
        ("efficientnet-b0", {"stem": "imagenet"}, IMAGENET, 1000, 5_288_548),  # Tan & Le (2019), Table 2: 5.3 M
    ],
)
def test_parameters_are_as_many_as_published(
    name: str, options: dict[str, Any], shape: tuple[int, int, int], classes: int, parameters: int
) -> None:
    assert trainable(built(name, shape, classes, **options)) == parameters


def test_the_thesis_network_has_the_layers_of_its_table_4_1() -> None:
    shapes = [tuple(p.shape) for p in built("mnist-cnn", MNIST, 10).parameters() if p.ndim > 1]
    assert shapes == [(20, 1, 5, 5), (50, 20, 5, 5), (500, 800), (10, 500)]


@pytest.mark.parametrize(("name", "convolutions"), [("vgg11", 8), ("vgg16", 13), ("vgg19", 16)])
def test_vgg_counts_its_layers_in_its_name(name: str, convolutions: int) -> None:
    modules = list(built(name, CIFAR, 100).modules())
    assert sum(isinstance(module, nn.Conv2d) for module in modules) == convolutions
    assert sum(isinstance(module, nn.Linear) for module in modules) == 1


@pytest.mark.parametrize("name", ["vgg16", "resnet-20", "resnet-50", "wrn-16-8"])
def test_batchnorm_momentum_reaches_every_batchnorm(name: str) -> None:
    network = built(name, CIFAR, 10, bn_momentum=0.003)
    found = {module.momentum for module in network.modules() if isinstance(module, nn.BatchNorm2d)}
    assert found == {0.003}


@pytest.mark.parametrize("name", ["resnet-18", "resnet-34", "resnet-50"])
def test_the_imagenet_form_computes_what_torchvision_computes(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    theirs = getattr(models, name.replace("-", ""))(num_classes=7)
    ours = model(name, stem="imagenet").build((3, 64, 64), 7)
    names = {"downsample.0": "shortcut.conv", "downsample.1": "shortcut.bn", "fc.": "head."}
    state = {}
    for key, value in theirs.state_dict().items():
        for old, new in names.items():
            key = key.replace(old, new)
        state[key] = value
    ours.load_state_dict(state)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize(
    ("name", "options", "theirs", "changed"),
    [
        ("mobilenet-v2", {"width": 0.25}, "mobilenet_v2", {"width_mult": 0.25}),
        ("efficientnet-b0", {}, "efficientnet_b0", {}),
    ],
)
def test_cheap_networks_compute_what_torchvision_computes(
    name: str, options: dict[str, Any], theirs: str, changed: dict[str, Any]
) -> None:
    models = pytest.importorskip("torchvision.models")
    other = getattr(models, theirs)(num_classes=7, **changed).eval()
    ours = model(name, stem="imagenet", **options).build((3, 64, 64), 7).eval()
    names, values = list(ours.state_dict()), list(other.state_dict().values())
    ours.load_state_dict(dict(zip(names, values, strict=True)))  # in the same order, which shapes confirm
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours(images), other(images))
