"""Every initialization draws from the distribution that its paper gives."""

from __future__ import annotations

import math
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from prunectl.base.rng import generator
from prunectl.models.initialization import initialize

FAN_IN, FAN_OUT = 50 * 9, 80 * 9


def drawn(init: str, bn_init: str = "ones") -> dict[str, Tensor]:
    network = nn.Sequential(OrderedDict(conv=nn.Conv2d(50, 80, 3), bn=nn.BatchNorm2d(80), head=nn.Linear(80, 7)))
    for tensor in network.state_dict().values():
        tensor.fill_(99)
    initialize(network, init=init, bn_init=bn_init, generator=torch.Generator().manual_seed(3))
    return network.state_dict()


@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("kaiming-normal", math.sqrt(2 / FAN_IN)),
        ("kaiming-uniform", math.sqrt(2 / FAN_IN)),
        ("xavier-normal", math.sqrt(2 / (FAN_IN + FAN_OUT))),
        ("xavier-uniform", math.sqrt(2 / (FAN_IN + FAN_OUT))),
        ("torch-default", math.sqrt(1 / (3 * FAN_IN))),
    ],
)
def test_weights_have_the_spread_of_the_paper(init: str, std: float) -> None:
    weight = drawn(init)["conv.weight"]
    assert abs(float(weight.mean())) < 0.02 * std
    assert float(weight.std()) == pytest.approx(std, rel=0.02)
    largest = float(weight.abs().max()) / std
    assert largest > 3.5 if init.endswith("normal") else largest <= math.sqrt(3) * 1.0001


def test_orthogonal_rows_have_the_gain_of_relu() -> None:
    rows = drawn("orthogonal")["conv.weight"].flatten(1)
    assert torch.allclose(rows @ rows.T, 2 * torch.eye(80), atol=1e-4)


def test_biases_are_zero_but_for_the_default_of_torch() -> None:
    zeros = drawn("kaiming-normal")
    assert not zeros["conv.bias"].any() and not zeros["head.bias"].any()
    bias = drawn("torch-default")["conv.bias"]
    assert 0.8 / math.sqrt(FAN_IN) < float(bias.abs().max()) <= 1 / math.sqrt(FAN_IN)


def test_the_default_of_torch_is_what_torch_draws() -> None:
    torch.manual_seed(11)
    theirs = nn.Linear(30, 20)
    ours = nn.Linear(30, 20)
    initialize(ours, init="torch-default", bn_init="ones", generator=torch.Generator().manual_seed(11))
    assert torch.equal(ours.weight, theirs.weight) and torch.equal(ours.bias, theirs.bias)


def test_batchnorm_starts_anew_with_ones_or_uniform_scales() -> None:
    ones, uniform = drawn("kaiming-normal"), drawn("kaiming-normal", "uniform")
    assert ones["bn.weight"].eq(1).all()
    assert uniform["bn.weight"].ge(0).all() and uniform["bn.weight"].le(1).all()
    assert 0.35 < float(uniform["bn.weight"].mean()) < 0.65
    for state in (ones, uniform):
        assert state["bn.running_var"].eq(1).all()
        for zero in ("bias", "running_mean", "num_batches_tracked"):
            assert not state[f"bn.{zero}"].any()


def test_parameters_without_a_rule_are_an_error_not_a_surprise() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Bilinear(2, 2, 2))
    with pytest.raises(ValueError, match=r"no rule to draw the parameters of 1 \(Bilinear\)"):
        initialize(network, init="kaiming-normal", bn_init="ones", generator=torch.Generator())


def test_transposed_convolutions_are_drawn_as_convolutions_are() -> None:
    up, act, norm = nn.ConvTranspose2d(3, 8, 3), nn.PReLU(8), nn.RMSNorm(8)
    nn.init.constant_(up.weight, 7.0)
    nn.init.constant_(act.weight, 7.0)
    initialize(nn.Sequential(up, act, norm), init="kaiming-normal", bn_init="ones", generator=generator(1, "init"))
    assert float(up.weight.detach().std()) == pytest.approx((2 / (8 * 9)) ** 0.5, rel=0.2)
    assert act.weight.tolist() == [0.25] * 8
    assert up.bias is not None and up.bias.tolist() == [0.0] * 8
