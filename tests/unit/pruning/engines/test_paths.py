"""Weights on a path: right for every operation that is known, refused for the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from networks import linear
from prunectl.base.operations import UncountedError
from prunectl.pruning.engines.paths import effective
from prunectl.pruning.prunable import prunable


class Between(nn.Module):
    """Two layers with something between them."""

    def __init__(self, first: nn.Module, between: Callable[[Tensor], Any], second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        """Whatever the second layer gives."""
        out: Tensor = self.second(self.between(self.first(x)))
        return out


def ones(network: nn.Module) -> dict[str, Tensor]:
    return {name: torch.ones(weight.shape, dtype=torch.bool) for name, weight in prunable(network).items()}


def counts(network: nn.Module, masks: dict[str, Tensor], shape: tuple[int, int, int]) -> list[int]:
    return [int(found.sum()) for found in effective(network, masks, shape).values()]


NORMS = [
    nn.ReLU(), nn.LayerNorm(32), nn.GroupNorm(4, 32), nn.Hardtanh(), nn.SiLU(), nn.BatchNorm1d(32), nn.RMSNorm(32),
    nn.Softplus(), nn.Dropout(), nn.Identity(), nn.Hardswish(), nn.ELU(), nn.PReLU(), nn.Softmax(-1), nn.LogSoftmax(-1),
    nn.Tanhshrink(), nn.Threshold(0.1, 20), nn.SELU(), nn.AlphaDropout(), nn.Softsign(), nn.Softmin(-1),
]  # fmt: skip


MIXING = (nn.Softmax, nn.LogSoftmax, nn.Softmin)
"""Those in which a number depends on all others."""


@pytest.mark.parametrize("between", NORMS, ids=lambda layer: type(layer).__name__)
def test_every_weight_of_a_dense_network_is_on_a_path(between: nn.Module) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), between, nn.Linear(32, 32), between, nn.Linear(32, 10))
    assert counts(network, ones(network), (1, 8, 8)) == [64 * 32, 32 * 32, 32 * 10]


@pytest.mark.parametrize(
    "between", [layer for layer in NORMS if "Softm" not in repr(layer) and "LogS" not in repr(layer)]
)
def test_what_passes_each_number_on_connects_no_channels(between: nn.Module) -> None:
    """Unit 3 has no weights in: those out of it are on no path."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), between, nn.Linear(32, 10))
    masks = ones(network)
    masks["1.weight"][3] = False
    assert counts(network, masks, (1, 8, 8)) == [64 * 31, 31 * 10]


@pytest.mark.parametrize(
    ("between", "units"),
    [
        (lambda x: x.softmax(-1), 8),
        (lambda x: x * torch.ones_like(x), 7),
        (lambda x: x * torch.tensor([1.0] * 5 + [0.0] * 3), 5 - 1),
        (lambda x: x + torch.arange(8.0), 7),
        (lambda x: torch.cat([x[:, :4], x.new_ones(1, 4)], 1), 3),
        (lambda x: x.roll(1, 1), 7),
        (lambda x: x.view(1, 2, 4).transpose(1, 2).flatten(1), 7),
        (lambda x: x.view(1, 4, 2).amax(-1).repeat(1, 2), 8),
        (lambda x: functional.glu(torch.cat([x, x.flip(1)], 1)), 8),
        (lambda x: x * x.mean(1, keepdim=True).sigmoid(), 8),
        (lambda x: x * functional.pad(x[:, :3], (0, 5)), 7),
        (lambda x: torch.maximum(x, x.flip(1)), 8),
        (lambda x: functional.max_pool1d(x[:, None], 3, 1, 1)[:, 0], 8),
        (lambda x: functional.adaptive_max_pool1d(x[:, None], 8)[:, 0], 7),
        (lambda x: x.clone().detach(), 7),
        (lambda x: x.data, 7),
        (lambda x: x.to(torch.float64).to(torch.float32), 7),
        (lambda x: x.unfold(1, 4, 4).flatten(1), 7),
        (lambda x: torch.stack(x.unbind(1), 1), 7),
        (lambda x: functional.pad(x[:, None], (2, 2), mode="circular")[:, 0, 2:-2], 7),
        (lambda x: functional.pad(x[:, None], (1, 1), mode="reflect")[:, 0, 1:-1], 7),
        (lambda x: x.sub_(1).mul_(2).relu_(), 7),
        (lambda x: functional.normalize(x, dim=1), 8),
    ],
)
def test_each_operation_connects_what_it_computes_with(between: Callable[[Tensor], Tensor], units: int) -> None:
    """Of 8 units the second has no weights in; how many depend on the image behind the operation?"""
    network = nn.Sequential(nn.Flatten(), Between(nn.Linear(4, 8), between, nn.Linear(8, 3)))
    masks = ones(network)
    masks["1.first.weight"][1] = False
    assert counts(network, masks, (1, 2, 2))[1] == 3 * units


def test_a_biased_unit_without_weights_begins_no_path() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.Linear(2, 3))
    nn.init.ones_(linear(network, "1").bias)
    masks = ones(network)
    masks["1.weight"][0] = False
    assert counts(network, masks, (1, 2, 2)) == [4, 3]


def test_a_layer_that_is_never_called_is_on_no_path() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    network[1].register_module("unused", nn.Linear(3, 3))
    assert counts(network, ones(network), (1, 2, 2)) == [8, 0]


def test_weights_that_cannot_be_pruned_connect_everything() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2))
    masks = ones(network)
    del masks["2.weight"]
    nn.init.zeros_(linear(network, "2").weight)  # what training makes of it is not known
    masks["3.weight"][:, 1:] = False
    assert counts(network, masks, (1, 2, 2)) == [32, 2]


def test_a_weight_that_two_layers_share_is_kept_where_both_masks_keep_it() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
    network[3].weight = network[1].weight
    masks = {name: torch.ones(4, 4, dtype=torch.bool) for name in ("1.weight", "3.weight")}
    masks["1.weight"][0] = False
    masks["3.weight"][1] = False
    assert counts(network, masks, (1, 2, 2)) == [8, 8]


def test_a_weight_used_by_functions_is_on_a_path_wherever_it_is_used() -> None:
    """A part of it, scaled; transposed; and joined with another: what no call uses is on no path."""

    class Functions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 8), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            x = functional.linear(x.flatten(1), self.a.weight[2:6] * 0.5)
            x = functional.linear(x, torch.cat([self.b.weight, self.a.weight[:1].clone()]))
            return x[:, 1:] @ self.a.weight[2:6].t().contiguous()

    network = Functions()
    assert counts(network, ones(network), (1, 2, 2)) == [4 * 4 + 4, 3 * 4]


def test_two_hundred_narrow_layers_neither_vanish_nor_overflow() -> None:
    """One weight of each unit left in the first 100, all of them in the others."""
    layers = [layer for _ in range(200) for layer in (nn.Linear(16, 16), nn.GELU())]
    network = nn.Sequential(nn.Flatten(), *layers)
    masks = ones(network)
    for name in list(masks)[:100]:
        masks[name] = torch.eye(16, dtype=torch.bool)
    assert counts(network, masks, (1, 4, 4)) == [16] * 100 + [256] * 100


def test_wide_pooling_counts_the_only_number_that_depends_on_the_image() -> None:
    """One of 32 · 32: as a mean it would be a thousandth."""
    network = nn.Sequential(
        nn.Conv2d(1, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 1), nn.Unflatten(1, (1, 1, 1)),
        nn.ConstantPad2d((31, 0, 31, 0), 1.0), nn.AvgPool2d(32), nn.Conv2d(1, 2, 1),
    )  # fmt: skip
    assert counts(network, ones(network), (1, 32, 32)) == [1, 1, 2]


@pytest.mark.parametrize(
    "pool",
    [
        nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(2, ceil_mode=True), nn.MaxPool2d(2, dilation=2, stride=1),
        nn.AvgPool2d(3, 2, 1),
        nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False), nn.AdaptiveAvgPool2d(3), nn.AdaptiveMaxPool2d((2, 5)),
        nn.LPPool2d(2, 2), nn.AdaptiveAvgPool2d(1),
    ],
    ids=repr,
)  # fmt: skip
def test_pooling_has_the_windows_of_torch(pool: nn.Module) -> None:
    """What an output depends on, by a finite difference of torch's own pooling in float64."""
    places = []
    for place in range(49):
        image = torch.zeros(49, dtype=torch.float64)
        image[place] = 1.0
        places.append(pool(image.view(1, 1, 7, 7)).flatten() > 0)
    depends = torch.stack(places, 1)  # outputs, pixels
    network = nn.Sequential(nn.Flatten(), nn.Linear(49, 49), nn.Unflatten(1, (1, 7, 7)), pool, nn.Flatten())
    network.append(nn.Linear(len(depends), 1))
    for output, pixels in enumerate(depends):
        masks = {
            "1.weight": torch.eye(49, dtype=torch.bool),
            "5.weight": torch.zeros(1, len(depends), dtype=torch.bool),
        }
        masks["5.weight"][0, output] = True
        assert torch.equal(effective(network, masks, (1, 7, 7))["1.weight"].diagonal(), pixels)


class Three(nn.Module):
    """Layers of one and three dimensions."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Sequential(nn.Conv1d(8, 4, 3), nn.BatchNorm1d(4), nn.MaxPool1d(2), nn.AdaptiveAvgPool1d(4))
        self.three = nn.Sequential(
            nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2), nn.MaxPool3d((1, 2, 2)), nn.AvgPool3d((1, 2, 2))
        )
        self.up = nn.ConvTranspose1d(2, 2, 2)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 8, 8) → (N, 2)."""
        x = self.one(x[:, 0])
        x = self.three(x[:, None, None]).flatten(2)
        out: Tensor = self.head(self.up(x).flatten(1)[:, :4])
        return out


def test_layers_of_one_and_three_dimensions_are_known() -> None:
    network = Three()
    assert counts(network, ones(network), (1, 8, 8)) == [96, 2, 8]


def attention(x: Tensor) -> Tensor:
    tokens = x.view(1, 4, 2)
    return functional.scaled_dot_product_attention(tokens, tokens, tokens).flatten(1)


@pytest.mark.parametrize(
    ("between", "operation"),
    [
        (attention, "scaled_dot_product"),
        (lambda x: (x.view(1, 4, 2) @ x.view(1, 2, 4)).flatten(1)[:, :8], "bmm"),
        (lambda x: x.sort().values, "sort"),
        (lambda x: x[:, x[0].argsort()], "argsort|sort"),
        (lambda x: torch.from_numpy(np.asarray(x.numpy())), r"numpy\(\)"),
        (lambda x: torch.tensor(x.tolist()), r"tolist\(\)"),
        (lambda x: x * x.sum().item(), "_local_scalar_dense"),
        (lambda x: torch.fft.fft(x).real, "fft"),
        (lambda x: functional.interpolate(x[:, None], scale_factor=1, mode="linear")[:, 0], "_unsafe_index|upsample"),
    ],
)
def test_an_operation_that_is_not_known_is_named(between: Callable[[Tensor], Tensor], operation: str) -> None:
    network = nn.Sequential(nn.Flatten(), Between(nn.Linear(4, 8), between, nn.Linear(8, 3)))
    with pytest.raises(UncountedError, match=operation):
        effective(network, ones(network), (1, 2, 2))


@pytest.mark.parametrize(
    "use",
    [
        lambda layer, x: functional.linear(x, layer.weight - layer.weight.mean()),
        lambda layer, x: x + layer.weight,
        lambda layer, x: functional.linear(x, layer.weight @ layer.weight),
        lambda layer, x: functional.bilinear(x, x, layer.weight[None]),
        lambda layer, x: functional.linear(x, torch.ones(4, 4).div(layer.weight)),
    ],
)
def test_a_weight_used_in_a_way_that_is_not_known_is_refused(use: Any) -> None:
    class Used(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.head(use(self.layer, x.view(1, 4)))
            return out

    network = Used()
    with pytest.raises(UncountedError):
        effective(network, ones(network), (1, 2, 2))


def test_a_product_with_weights_by_hand_is_a_layer() -> None:
    class ByHand(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.head((x.view(1, 1, 4) * self.layer.weight.data).sum(-1))
            return out

    network = ByHand()
    masks = ones(network)
    masks["layer.weight"][1] = False
    assert counts(network, masks, (1, 2, 2)) == [12, 6]
