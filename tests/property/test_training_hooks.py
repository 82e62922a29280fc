"""Hooks that change masks: resumed at any step, the same bits; what is outside a mask is zero after every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from prunectl.catalog.hook import Hook, Trainee
from prunectl.catalog.optimizer import Optimizer
from prunectl.training.hooks import Evaluation
from prunectl.training.loop import advance
from prunectl.training.trainee import Trainee as Whole
from trainings import OPTIMIZERS, masks, same, trainee, training

DENSE = {name: torch.ones_like(mask) for name, mask in masks().items()}


class Shrinking(Hook):
    """Prunes half way, as gradual pruning does in many steps: the smallest weights of each layer go."""

    name = "shrinking"

    def __init__(self, at: int, keeps: float) -> None:
        self.at, self.keeps = at, keeps

    def after(self, trainee: Trainee) -> None:
        if trainee.step == self.at:
            parameters = dict(trainee.network.named_parameters())
            smaller = {}
            for name, mask in trainee.masks.items():
                scores = parameters[name].detach().abs().masked_fill(~mask, -1.0).flatten()
                kept = torch.zeros(mask.numel(), dtype=torch.bool)
                kept[scores.topk(round(self.keeps * mask.numel())).indices] = True
                smaller[name] = kept.view(mask.shape) & mask
            trainee.remask(smaller)


class Moving(Hook):
    """Prunes and grows weights every few steps, at places that it draws itself; how often it did is its state."""

    name = "moving"

    def __init__(self, every: int, claims: bool) -> None:
        self.every, self.claims = every, claims
        self.moves = 0
        self.ages = {name: torch.zeros(mask.shape) for name, mask in masks().items()}

    def begin(self, trainee: Trainee) -> None:
        trainee.remask(masks())

    def wants_gradients(self, step: int) -> bool:
        return step > 0 and step % self.every == 0

    def gradients(self, trainee: Trainee) -> bool:
        self.moves += 1
        moved = masks(seed=100 + self.moves)
        for name, mask in moved.items():
            self.ages[name] = (self.ages[name] + 1) * mask
        trainee.remask(moved, grows=True)
        return self.claims

    def dump(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        return self.ages, {"moves": self.moves}

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        self.ages, self.moves = dict(tensors), numbers["moves"]


class Checking(Hook):
    """Outside the masks, weights and what the optimizer keeps of them are exactly zero."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    def after(self, trainee: Trainee) -> None:
        parameters = dict(trainee.network.named_parameters())
        for name, mask in trainee.masks.items():
            kept = [value for value in trainee.optimizer.state[parameters[name]].values() if value.shape == mask.shape]
            for value in [parameters[name].detach(), *kept]:
                assert not value[~mask].any()
        self.steps.append(trainee.step)


def begun(kind: str, optimizer: Optimizer, seed: int = 0) -> Whole:
    plan = training(optimizer=optimizer)
    changing = Shrinking(at=9, keeps=0.3) if kind == "shrinking" else Moving(every=4, claims=kind == "claiming")
    return trainee(plan, masks=DENSE, hooks=[changing, Evaluation(plan), Checking()], seed=seed)


KINDS = st.sampled_from(["shrinking", "moving", "claiming"])


@settings(max_examples=40, deadline=None)
@given(KINDS, st.sampled_from(OPTIMIZERS), st.integers(1, 19), st.integers(1, 19))
def test_a_training_whose_masks_change_is_resumed_at_any_step_bit_for_bit(
    kind: str, optimizer: Optimizer, first: int, second: int
) -> None:
    """Twice: what was resumed is resumed again."""
    whole = begun(kind, optimizer)
    advance(whole, 20)
    first, second = sorted((first, second))
    attempt = begun(kind, optimizer)
    for stop in (first, second, 20):
        advance(attempt, stop)
        following = begun(kind, optimizer, seed=9)
        following.resume(*attempt.dump())
        assert same(following, attempt)
        assert all(torch.equal(following.masks[name], mask) for name, mask in attempt.masks.items())
        attempt = following
    assert same(whole, attempt)
    checking = whole.hooks[-1]
    assert isinstance(checking, Checking)
    assert checking.steps == list(range(1, 21))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.label())
def test_a_weight_that_grows_back_begins_at_zero_without_a_past(optimizer: Optimizer) -> None:
    grown = begun("claiming", optimizer)
    advance(grown, 4)
    before = grown.masks
    advance(grown, 5)
    parameters = dict(grown.network.named_parameters())
    for name, mask in grown.masks.items():
        new = mask & ~before[name]
        assert new.any()
        kept = [value for value in grown.optimizer.state[parameters[name]].values() if value.shape == mask.shape]
        assert not any(value[new].any() for value in [parameters[name].detach(), *kept])
    advance(grown, 6)
    assert all(parameters[name][mask & ~before[name]].any() for name, mask in grown.masks.items())
