"""Label smoothing and gradient clipping against their formulas and against torch's own functions."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from networks import small_network
from prunectl.base.rng import generator
from prunectl.training.loop import advance
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.schedules.constant import Constant
from trainings import masks, same, trainee, training

PLAIN: dict[str, Any] = {"optimizer": Sgd(momentum=0.0), "weight_decay": 0.0, "schedule": Constant()}
"""A step is the learning rate, 0.1, times the gradient."""


def first_batch() -> tuple[Tensor, Tensor]:
    """Inputs and labels of the first step of `training()`."""
    material = training().material
    chosen = torch.randperm(39, generator=generator(3, "order", 0))[:8]
    (images,) = material.train.batches([chosen])
    return (images.float() / 255 - 0.5) / 0.3, material.train.labels[chosen]


def stepped(pruned: dict[str, Tensor] | None = None, **recipe: Any) -> dict[str, Tensor]:
    """What the first step takes from each parameter, over the learning rate."""
    trained = trainee(training(**PLAIN, **recipe), masks=pruned)
    before = {name: value.detach().clone() for name, value in trained.network.named_parameters()}
    advance(trained, 1)
    return {name: (before[name] - value.detach()) / 0.1 for name, value in trained.network.named_parameters()}


def gradients(smoothing: float, pruned: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Of (1 − ε)·(−log p_y) + ε·mean(−log p) (Szegedy et al. 2016, Section 7), in double precision; masked."""
    network = small_network().double().train()
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for name, mask in (pruned or {}).items():
            parameters[name].mul_(mask)
    inputs, labels = first_batch()
    surprise = -functional.log_softmax(network(inputs.double()), dim=1)
    wanted = surprise[torch.arange(8), labels]
    loss = ((1 - smoothing) * wanted + smoothing * surprise.mean(1)).mean()
    found = dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True))
    return {name: value * pruned[name] if pruned and name in pruned else value for name, value in found.items()}


def norm(values: dict[str, Tensor]) -> float:
    """The L2 norm of all of them together."""
    return math.sqrt(sum(float(value.double().square().sum()) for value in values.values()))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_a_smoothed_label_is_spread_over_all_classes(smoothing: float) -> None:
    taken, expected = stepped(label_smoothing=smoothing), gradients(smoothing)
    for name, value in taken.items():
        torch.testing.assert_close(value.double(), expected[name], rtol=1e-3, atol=2e-6, msg=name)


def test_the_smoothed_loss_is_torchs_own_and_labels_are_right_or_wrong_as_before() -> None:
    trained = trainee(training(label_smoothing=0.3))
    advance(trained, 1)
    inputs, labels = first_batch()
    logits = small_network().train()(inputs).detach()
    seen = trained.take_means()
    assert seen.loss == pytest.approx(float(functional.cross_entropy(logits, labels, label_smoothing=0.3)), rel=1e-6)
    assert seen.top1 == int((logits.argmax(1) == labels).sum()) / 8


@pytest.mark.parametrize("pruned", [None, masks()], ids=["dense", "masked"])
@pytest.mark.parametrize("share", [0.25, 4.0], ids=["longer", "shorter"])
def test_long_gradients_are_shortened_to_the_norm_and_short_ones_are_left(
    pruned: dict[str, Tensor] | None, share: float
) -> None:
    """Pascanu et al. (2013), Algorithm 1, and torch's own function on the masked gradients."""
    expected = gradients(0.0, pruned)
    whole = norm(expected)
    taken = stepped(pruned, clip_norm=share * whole)
    parameters = [torch.nn.Parameter(torch.zeros_like(value)) for value in expected.values()]
    for parameter, value in zip(parameters, expected.values(), strict=True):
        parameter.grad = value.clone()
    torch.nn.utils.clip_grad_norm_(parameters, share * whole)
    assert norm(taken) == pytest.approx(min(share, 1.0) * whole, rel=1e-4)
    for (name, value), parameter in zip(taken.items(), parameters, strict=True):
        assert parameter.grad is not None
        own = expected[name] * min(share, 1.0)
        torch.testing.assert_close(value.double(), own, rtol=1e-3, atol=2e-6, msg=name)
        torch.testing.assert_close(parameter.grad, own, rtol=1e-4, atol=1e-9, msg=name)


def test_gradients_of_pruned_weights_do_not_count() -> None:
    """Between the norm of the kept gradients and that of all: nothing is shortened."""
    pruned = masks(share=0.1)
    inputs, labels = first_batch()
    network = small_network().train()
    with torch.no_grad():
        for name, mask in pruned.items():
            network.get_parameter(name).mul_(mask)
    parameters = dict(network.named_parameters())
    loss = functional.cross_entropy(network(inputs), labels)
    dense = dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True))
    kept = norm({name: value * pruned[name] if name in pruned else value for name, value in dense.items()})
    assert kept < norm(dense)
    between = training(**PLAIN, clip_norm=(kept + norm(dense)) / 2)
    clipped, plain = trainee(between, masks=pruned), trainee(training(**PLAIN), masks=pruned)
    for trained in (clipped, plain):
        advance(trained, 1)
    assert same(clipped, plain)


def test_a_norm_that_is_never_reached_changes_no_bit() -> None:
    clipped, plain = trainee(training(clip_norm=1e6)), trainee()
    for trained in (clipped, plain):
        advance(trained, 6)
    assert same(clipped, plain)
