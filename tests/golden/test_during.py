"""Pruning during training against small trainings written out by hand: SGD with momentum, and masks in numpy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from prunectl.base.rng import generator
from prunectl.pruning.scopes.er import Er
from prunectl.pruning.scopes.erk import Erk
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.training.loop import advance
from prunectl.training.trainee import Trainee, Training
from pruned_trainings import pruned_training, rounds, small_perceptron
from trainings import training

Flags = NDArray[np.bool_]
LAYERS = ("1.weight", "3.weight")
LR, MOMENTUM, DECAY = 0.1, 0.9, 1e-2


class ByHand:
    """SGD on the small perceptron, 20 steps in 4 epochs, that knows its masks and nothing of hooks."""

    def __init__(self, whole: Training, masks: dict[str, Flags]) -> None:
        self.whole, self.masks = whole, masks
        self.weights = {name: value.detach().clone() for name, value in small_perceptron().named_parameters()}
        self.speed = {name: torch.zeros_like(value) for name, value in self.weights.items()}
        self.clear()

    def clear(self) -> None:
        for name, mask in self.masks.items():
            self.weights[name][~torch.from_numpy(mask)] = 0.0
            self.speed[name][~torch.from_numpy(mask)] = 0.0

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        material = self.whole.material
        for epoch in range(4):
            order = torch.randperm(39, generator=generator(3, "order", epoch))
            parts = torch.split(order, 8)
            for chosen, images in zip(parts, material.train.batches(parts, None), strict=True):
                yield material.normalize(images), material.train.labels[chosen]

    def gradients(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        leaves = {name: value.clone().requires_grad_() for name, value in self.weights.items()}
        hidden = torch.relu(images.flatten(1) @ leaves["1.weight"].T + leaves["1.bias"])
        loss = functional.cross_entropy(hidden @ leaves["3.weight"].T + leaves["3.bias"], labels)
        return dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))

    def update(self, gradients: dict[str, Tensor], lr: float) -> None:
        for name, weight in self.weights.items():
            slope = gradients[name] + DECAY * weight
            self.speed[name] = MOMENTUM * self.speed[name] + slope
            self.weights[name] = weight - lr * self.speed[name]
        self.clear()

    def train(self, instead: Callable[[int, dict[str, Tensor]], bool], after: Callable[[int], None]) -> None:
        for step, (images, labels) in enumerate(self.batches()):
            found = self.gradients(images, labels)
            if not instead(step, found):
                self.update(found, LR * 0.1 ** ((step >= 10) + (step >= 15)))
            after(step + 1)

    def agrees_with(self, trainee: Trainee) -> None:
        parameters = dict(trainee.network.named_parameters())
        for name, mask in self.masks.items():
            assert np.array_equal(trainee.masks[name].numpy(), mask), name
        for name, value in self.weights.items():
            assert torch.allclose(parameters[name], value, rtol=1e-4, atol=1e-6), name
            speed = trainee.optimizer.state[parameters[name]]["momentum_buffer"]
            assert torch.allclose(speed, self.speed[name], rtol=1e-4, atol=1e-6), name


def begun(written: dict[str, Any], scope: Er | Erk | Layerwise) -> tuple[Trainee, ByHand]:
    """A training with its first masks in force, and its twin by hand."""
    whole = training()
    pruned = pruned_training(rounds(written), small_perceptron(), whole, sparsity=0.6, scope=scope)
    advance(pruned, 0)
    return pruned, ByHand(whole, {name: mask.numpy().copy() for name, mask in pruned.masks.items()})


def never(step: int, gradients: dict[str, Tensor]) -> bool:
    return False


def smallest(values: NDArray[np.float32], among: Flags, count: int) -> Flags:
    """The places of the `count` smallest values among some: by sorting all of them."""
    order = np.argsort(np.where(among, values, np.inf), axis=None, kind="stable")[:count]
    chosen = np.zeros(values.size, dtype=np.bool_)
    chosen[order] = True
    return chosen.reshape(values.shape)


def test_a_whole_gradual_training() -> None:
    """Cubic from 0 at step 2 to 0.6 at step 12, every 4 steps: s_t by hand, layer by layer."""
    written = {"name": "gradual", "from": {"step": 2}, "to": {"step": 12}, "every": {"steps": 4}}
    pruned, hand = begun(written, Layerwise())
    # 0.6 · (1 − (1 − x)³) at x = 0, 0.4, 0.8, 1; of 360 and 30 weights
    gone = {2: (0, 0), 6: (169, 14), 10: (214, 18), 12: (216, 18)}

    def after(step: int) -> None:
        for name, count in zip(LAYERS, gone.get(step, ()), strict=False):
            size = np.abs(hand.weights[name].numpy())
            hand.masks[name] = ~smallest(size, np.ones(size.shape, dtype=np.bool_), count)
        hand.clear()

    hand.train(never, after)
    advance(pruned, 20)
    hand.agrees_with(pruned)
    assert [(change.step, change.kept) for change in pruned.remaining] == [(2, 390), (6, 207), (10, 158), (12, 156)]


def test_a_whole_rigl_training() -> None:
    """Updates at 0, 3, ..., 12 < 0.75 · 20 instead of the optimizer's step."""
    pruned, hand = begun({"name": "rigl", "every": {"steps": 3}}, Erk())
    updates: list[int] = []

    def instead(step: int, gradients: dict[str, Tensor]) -> bool:
        if step % 3 or step >= 15:
            return False
        share = 0.3 / 2 * (1 + math.cos(math.pi * step / 15))
        for name in LAYERS:
            kept = hand.masks[name]
            count = math.floor(share * int(kept.sum()))
            left = kept & ~smallest(np.abs(hand.weights[name].numpy()), kept, count)
            hand.masks[name] = left | smallest(-np.abs(gradients[name].numpy()), ~left, count)
        hand.clear()
        updates.append(step)
        return True

    counts = {name: int(mask.sum()) for name, mask in hand.masks.items()}
    hand.train(instead, lambda step: None)
    advance(pruned, 20)
    hand.agrees_with(pruned)
    assert updates == [0, 3, 6, 9, 12]
    assert {name: int(mask.sum()) for name, mask in pruned.masks.items()} == counts
    assert sum(counts.values()) == 390 - round(0.6 * 390)


def test_one_update_of_rigl_keeps_what_is_dropped_and_grows_again_as_it_was() -> None:
    """With a gradient that is largest at the dropped weights, nothing moves: value and momentum stay."""
    pruned, _ = begun({"name": "rigl", "every": {"steps": 5}}, Erk())
    advance(pruned, 5)
    hook = pruned.hooks[0]
    weight = pruned.network.get_parameter("1.weight")
    before, kept = weight.detach().clone(), pruned.masks["1.weight"]
    speed = pruned.optimizer.state[weight]["momentum_buffer"].clone()
    for name in LAYERS:
        parameter = pruned.network.get_parameter(name)
        parameter.grad = pruned.masks[name].float()
    assert hook.wants_gradients(5) and hook.gradients(pruned)
    assert torch.equal(pruned.masks["1.weight"], kept) and torch.equal(weight, before)
    assert torch.equal(pruned.optimizer.state[weight]["momentum_buffer"], speed) and bool(speed[kept].any())


@pytest.mark.parametrize("end", [5, 10, 15])
def test_one_move_of_set_drops_what_is_near_zero_of_both_signs(end: int) -> None:
    """After the last step of an epoch; what grew is at 0 with zero momentum, also where a weight was just dropped."""
    pruned, _ = begun({"name": "set", "zeta": 0.25}, Er())
    still, _ = begun({"name": "set", "zeta": 0.25}, Er())
    advance(still, end - 1)
    hook = still.hooks[0]
    still.hooks = ()
    advance(still, end)
    weights = {name: still.network.get_parameter(name).detach().numpy().copy() for name in LAYERS}
    kept = {name: mask.numpy() for name, mask in still.masks.items()}
    hook.after(still)
    advance(pruned, end)
    regrown = 0
    for name in LAYERS:
        values, mask = weights[name], kept[name]
        dropped = np.zeros_like(mask)
        for sign in (1, -1):
            among = mask & (sign * values > 0)
            dropped |= smallest(np.abs(values), among, math.floor(0.25 * int(among.sum())))
        after = pruned.masks[name].numpy()
        assert np.array_equal(after, still.masks[name].numpy())
        assert after.sum() == mask.sum() and not (mask & ~dropped & ~after).any()
        new = after & ~(mask & ~dropped)
        assert new.sum() == dropped.sum() > 0
        parameter = pruned.network.get_parameter(name)
        for value in (parameter.detach(), pruned.optimizer.state[parameter]["momentum_buffer"]):
            assert not value.numpy()[~after | new].any()
        regrown += int((new & dropped).sum())
    assert regrown > 0, "the draw is over all places that are not kept"


def test_set_by_magnitude_moves_as_often_and_as_much_as_rigl_after_the_step() -> None:
    """ΔT = 100, T_end = 0.75 T, f(t) = ζ/2 · (1 + cos(πt / T_end)); T = 400, so that the last move is at 200."""
    whole = training(steps=400)
    pruned = pruned_training(rounds({"name": "set", "drop": "magnitude"}), small_perceptron(), whole, scope=Er())
    hook = pruned.hooks[0]
    hook.begin(pruned)
    weight, draws = pruned.network.get_parameter("1.weight"), generator(0, "weights")
    for step, share in ((100, 0.225), (200, 0.075), (300, 0.0), (400, 0.0)):
        pruned.step = step
        before = pruned.masks["1.weight"].numpy()
        with torch.no_grad():  # in the place of a training: no weight at 0, and no two alike
            weight.copy_(torch.from_numpy(before) * (torch.rand(weight.shape, generator=draws) + 0.1))
        values = np.abs(weight.detach().numpy())
        hook.after(pruned)
        assert not hook.wants_gradients(step)
        dropped = smallest(values, before, math.floor(share * int(before.sum()) + 1e-9))
        after = pruned.masks["1.weight"].numpy()
        assert after.sum() == before.sum() and not (before & ~dropped & ~after).any()
        assert not weight.detach().numpy()[dropped].any() and weight.detach().numpy()[before & ~dropped].all()
    assert [change.step for change in pruned.remaining] == [0, 100, 200]
