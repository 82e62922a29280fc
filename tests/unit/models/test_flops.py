"""FLOPs against published numbers, by hand, and against torch's own counter."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from prunectl.base.operations import UncountedError
from prunectl.models.flops import Flops, flops_of
from prunectl.pruning.prunable import prunable
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
    network = built(name, shape, classes, **options)
    network = network if max(shape) >= 224 else network.to_empty(device="cpu")
    assert flops_of(network, shape).dense == 2 * multiplications


def test_resnet_50_has_torchvision_s_4_089_billion_multiplications() -> None:
    flops = flops_of(built("resnet-50", IMAGENET, 1000, stem="imagenet"), IMAGENET)
    assert round(flops.dense / 2e9, 3) == 4.089


@pytest.mark.parametrize("name", ["mobilenet_v2", "vit_b_16", "convnext_tiny", "swin_t", "shufflenet_v2_x1_0"])
def test_networks_of_torchvision_have_the_numbers_that_it_publishes(name: str) -> None:
    """Depthwise and grouped convolutions, attention, layers along a sequence; in billions of multiplications."""
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        network = models.get_model(name, weights=None)
    published = models.get_model_weights(name).DEFAULT.meta["_ops"]
    assert flops_of(network, IMAGENET).dense / 2e9 == pytest.approx(published, abs=6e-4)


def shares(flops: Flops) -> dict[str, int]:
    """FLOPs by weight, where each element of a weight is used as often as the others."""
    assert all(uses.parts is None for uses in flops.uses.values())
    return {names[0]: 2 * uses.whole for names, uses in flops.uses.items()}


def test_layers_are_counted_by_their_weights_in_the_order_of_the_network() -> None:
    """Groups share the input: 8 kernels of 2 · 9 weights at 3 · 3 places."""
    network = nn.Sequential(nn.Conv2d(4, 8, 3, stride=2, groups=2), nn.Flatten(), nn.Linear(72, 5))
    flops = flops_of(network, (4, 7, 7), ["0.weight", "2.weight"])
    assert list(shares(flops).items()) == [("0.weight", 2 * 9), ("2.weight", 2)]
    assert flops.dense == 2 * 8 * 18 * 9 + 2 * 72 * 5


def test_counting_leaves_the_network_and_the_random_state_as_they_were() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    flops_of(network, (1, 4, 4))
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network[0]._forward_hooks
    assert torch.equal(random, torch.get_rng_state())
    assert torch.backends.mha.get_fastpath_enabled()


class Odd(nn.Module):
    """A convolution of one dimension; a block that is called three times; its weight used again by a function."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block, self.head = nn.Conv1d(8, 16, 3, padding=1), nn.Linear(128, 128), nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 8, 8) → (N, 10)."""
        x = self.stem(x.flatten(1, 2)).relu().flatten(1)
        for _ in range(3):
            x = self.block(x).relu()
        x = functional.linear(x, self.block.weight).relu()
        out: Tensor = self.head(x)
        return out


def test_every_call_counts_and_each_saves_the_share_of_the_mask() -> None:
    network, half = Odd(), torch.zeros(128, 128, dtype=torch.bool)
    half[:64] = True
    flops = flops_of(network, (1, 8, 8), prunable(network))
    stem, block, head = 16 * 8 * 3 * 8, 128 * 128, 128 * 10
    assert flops.dense == 2 * (stem + 4 * block + head)
    assert flops.pruned({"block.weight": half}) == 2 * (stem + 2 * block + head)


class Layer(nn.Module):
    """One weight, used by a function of it and the image, which is brought to a shape first."""

    def __init__(self, layer: nn.Module, use: Any, *shape: int) -> None:
        super().__init__()
        self.layer, self.use, self.shape = layer, use, shape

    def forward(self, x: Tensor) -> Tensor:
        """(1, 1, 8, 8) → whatever the function returns."""
        out: Tensor = self.use(self.layer, x.view(1, *self.shape))
        return out


def call(layer: nn.Module, x: Tensor) -> Any:
    return layer(x)


def count(layer: nn.Module, use: Any, *shape: int, mask: Tensor | None = None) -> tuple[int, float]:
    network = Layer(layer, use, *shape)
    flops = flops_of(network, (1, 8, 8), ["layer.weight"])
    with FlopCounterMode(display=False) as theirs:
        network.train()(torch.ones(1, 1, 8, 8))
    assert flops.dense == theirs.get_total_flops()
    assert isinstance(layer.weight, Tensor)
    dense = torch.ones(layer.weight.shape, dtype=torch.bool)
    assert flops.pruned({"layer.weight": dense}) == flops.dense
    assert flops.pruned({"layer.weight": ~dense}) == 0
    return flops.dense, flops.pruned({"layer.weight": dense if mask is None else mask})


@pytest.mark.parametrize(
    ("layer", "shape", "multiplications"),
    [
        (nn.Conv1d(4, 6, 3, stride=2), (4, 16), 6 * 4 * 3 * 7),
        (nn.Conv2d(4, 8, 3, groups=4), (4, 4, 4), 8 * 9 * 4),
        (nn.Conv3d(2, 3, 2), (2, 2, 4, 4), 3 * 2 * 8 * 9),
        (nn.ConvTranspose2d(4, 6, 2, stride=2), (4, 4, 4), 4 * 6 * 4 * 16),
        (nn.ConvTranspose1d(4, 6, 3, groups=2), (4, 16), 4 * 3 * 3 * 16),
        (nn.Linear(4, 5), (16, 4), 4 * 5 * 16),  # along a sequence
        (nn.Conv2d(1, 2, 3, padding=2, dilation=2), (1, 8, 8), 2 * 9 * 64),
    ],
)
def test_layers_of_every_kind_are_counted(layer: nn.Module, shape: tuple[int, ...], multiplications: int) -> None:
    assert count(layer, call, *shape)[0] == 2 * multiplications


FIRST = torch.arange(64).view(8, 8) < 32
"""Keeps the upper half of 8 · 8 weights."""


@pytest.mark.parametrize(
    ("use", "dense", "pruned"),
    [
        (lambda layer, x: x @ layer.weight.t(), 512, 256),
        (lambda layer, x: torch.einsum("bni,oi->bno", x, layer.weight), 512, 256),
        (lambda layer, x: functional.conv1d(x, layer.weight[:, :, None]), 512, 256),
        (lambda layer, x: functional.linear(x, layer.weight * 0.5), 512, 256),
        (lambda layer, x: functional.linear(x, layer.weight.contiguous().clone()), 512, 256),
        (lambda layer, x: functional.linear(x, layer.weight.t().contiguous()), 512, 256),
        (lambda layer, x: torch.bmm(x.expand(3, 8, 8), layer.weight.t().expand(3, 8, 8)), 1536, 768),
        (lambda layer, x: torch.addmm(layer.bias, x[0], layer.weight), 512, 256),
    ],
)
def test_a_weight_is_recognised_however_it_is_used(use: Any, dense: int, pruned: float) -> None:
    """Views share its memory, and copies are followed."""
    assert count(nn.Linear(8, 8), use, 8, 8, mask=FIRST) == (2 * dense, 2 * pruned)


@pytest.mark.parametrize(
    ("use", "dense", "pruned"),
    [
        (lambda layer, x: torch.mv(layer.weight, x[0, 0]), 64, 32),
        (lambda layer, x: functional.linear(x, layer.weight[:4]), 256, 256),
        (lambda layer, x: functional.linear(x, layer.weight[4:]), 256, 0),
        (lambda layer, x: functional.linear(x, layer.weight[2:6]), 256, 128),
        (lambda layer, x: functional.linear(x, torch.cat([layer.weight, layer.weight[6:]])), 640, 256),
        (lambda layer, x: functional.linear(x, torch.stack([layer.weight[5], layer.weight[0]])), 128, 64),
    ],
)
def test_a_part_of_a_weight_has_a_share_of_its_own(use: Any, dense: int, pruned: float) -> None:
    network = Layer(nn.Linear(8, 8), use, 8, 8)
    flops = flops_of(network, (1, 8, 8), ["layer.weight"])
    assert (flops.dense, flops.pruned({"layer.weight": FIRST})) == (2 * dense, 2 * pruned)


def test_a_tied_weight_keeps_what_all_of_its_masks_keep() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))
    network[3].weight = network[1].weight
    flops = flops_of(network, (1, 8, 8), ["1.weight", "3.weight"])
    keep = torch.ones(64, 64, dtype=torch.bool)
    upper, left = keep.clone(), keep.clone()
    upper[32:], left[:, 32:] = False, False
    assert flops.dense == 4 * 64 * 64
    assert flops.pruned({"1.weight": upper, "3.weight": left}) == flops.dense / 4


class Attention(nn.Module):
    """Attention by torch's layer, with a projection of its own."""

    def __init__(self, need_weights: bool) -> None:
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(64, 3)
        self.need_weights = need_weights

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 8, 8) → (N, 3)."""
        tokens = x[:, 0]
        out: Tensor = self.head(self.attention(tokens, tokens, tokens, need_weights=self.need_weights)[0].flatten(1))
        return out


@pytest.mark.parametrize("need_weights", [True, False])
def test_products_of_activations_are_dense(need_weights: bool) -> None:
    network = Attention(need_weights)
    flops = flops_of(network, (1, 8, 8), prunable(network))
    projections, products = 8 * 8 * (24 + 8), 2 * 8 * 8 * 8
    assert flops.dense == 2 * (projections + products + 64 * 3)
    gone = {name: torch.zeros(weight.shape, dtype=torch.bool) for name, weight in prunable(network).items()}
    assert list(gone) == ["attention.in_proj_weight", "attention.out_proj.weight", "head.weight"]
    assert flops.pruned(gone) == 2 * products


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        (lambda layer, x: functional.linear(x, layer.weight - layer.weight.mean()), "sub changes the weights"),
        (lambda layer, x: functional.linear(x, layer.weight.softmax(0)), "softmax changes the weights"),
        (lambda layer, x: functional.linear(x, layer.weight[torch.randperm(8)]), "index changes the weights"),
    ],
)
def test_the_share_of_weights_that_are_changed_before_use_is_not_known(use: Any, reason: str) -> None:
    flops = flops_of(Layer(nn.Linear(8, 8), use, 8, 8), (1, 8, 8), ["layer.weight"])
    assert flops.dense == 1024
    with pytest.raises(UncountedError, match=reason):
        flops.pruned({"layer.weight": FIRST})


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        (lambda layer, x: (x[:, :, None] * layer.weight).sum(-1), "mul of activations and layer.weight is not known"),
        (lambda layer, x: x + layer.weight, "add of activations and layer.weight"),
        (lambda layer, x: functional.linear(x, layer.weight @ layer.weight), "of layer.weight with each other"),
        (lambda layer, x: functional.bilinear(x, x, layer.weight[None]), "the FLOPs of _trilinear are not known"),
        (lambda layer, x: torch.cdist(x, x), "the FLOPs of _cdist_forward are not known"),
        (lambda layer, x: x[9], "does not run on one image: IndexError"),
    ],
)
def test_what_is_not_known_is_refused(use: Any, reason: str) -> None:
    with pytest.raises(UncountedError, match=reason):
        flops_of(Layer(nn.Linear(8, 8), use, 8, 8), (1, 8, 8), ["layer.weight"])


def test_a_large_network_that_looks_at_values_is_run_on_the_cpu() -> None:
    """On the meta device there are none."""
    network = Layer(nn.Linear(224, 2), lambda layer, x: layer(x) if float(x.sum()) > 0 else x, 224, 224)
    assert flops_of(network, (1, 224, 224)).dense == 2 * 224 * 224 * 2


def test_counting_does_not_import_torch_s_compiler() -> None:
    """Which takes more than a second."""
    code = (
        "import sys\nfrom torch import nn\nfrom prunectl.models.flops import flops_of\n"
        "network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2))\n"
        "flops_of(network, (1, 8, 8), ['0.weight'])\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
