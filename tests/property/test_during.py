"""Trainings that prune on the way: resumed at any step, the same bits; counts exact; nothing outside the masks."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import small_network
from prunectl.catalog.criterion import Criterion
from prunectl.catalog.hook import Hook
from prunectl.catalog.hook import Trainee as Seen
from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.rounds import Rounds
from prunectl.pruning.criteria.fisher import Fisher
from prunectl.pruning.criteria.magnitude import Magnitude
from prunectl.pruning.criteria.random import Random
from prunectl.pruning.criteria.snip import Snip
from prunectl.pruning.criteria.synflow import SynFlow
from prunectl.pruning.scopes.er import Er
from prunectl.pruning.scopes.erk import Erk
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scopes.layerwise import Layerwise
from prunectl.pruning.structures.channels import Channels
from prunectl.training.hooks import Evaluation
from prunectl.training.loop import advance
from prunectl.training.trainee import Trainee
from pruned_trainings import pruned_training, rounds
from trainings import OPTIMIZERS, same, training

GRADUAL = rounds({"name": "gradual", "from": {"step": 0}, "to": {"step": 13}, "every": {"steps": 4}, "initial": 0.2})
SET = rounds({"name": "set", "zeta": 0.4})
RIGL = rounds({"name": "rigl", "every": {"steps": 3}})
SIZE = sum(weight.numel() for weight in small_network().parameters() if weight.dim() > 1)


class Checking(Hook):
    """The number of kept weights, and that whatever is not kept is zero, in weights and in the optimizer."""

    def __init__(self) -> None:
        self.kept: dict[int, dict[str, int]] = {}

    def after(self, trainee: Seen) -> None:
        parameters = dict(trainee.network.named_parameters())
        for name, mask in trainee.masks.items():
            state = trainee.optimizer.state.get(parameters[name], {}).values()
            for value in [parameters[name].detach(), *(value for value in state if value.shape == mask.shape)]:
                assert not value[~mask].any()
        self.kept[trainee.step] = {name: int(mask.sum()) for name, mask in trainee.masks.items()}


def begun(way: Rounds, optimizer: Optimizer, sparsity: float, criterion: Criterion, seed: int = 0) -> Trainee:
    plan = training(optimizer=optimizer)
    return pruned_training(
        way,
        small_network(seed=seed),
        plan,
        sparsity=sparsity,
        criterion=criterion,
        scope={"set": Er(), "rigl": Erk()}.get(way.name, Global()),
        others=[Evaluation(plan), Checking()],
    )


WAYS = st.one_of(
    st.tuples(st.just(GRADUAL), st.sampled_from([Magnitude(), Random(), Snip(), SynFlow(), Fisher()])),
    st.tuples(st.sampled_from([SET, RIGL]), st.just(Magnitude())),
)


@settings(max_examples=8, deadline=None)
@given(WAYS, st.sampled_from(OPTIMIZERS), st.floats(0.3, 0.95), st.integers(1, 19), st.integers(1, 19))
def test_a_training_that_prunes_is_resumed_at_any_step_bit_for_bit(
    way: tuple[Rounds, Criterion], optimizer: Optimizer, sparsity: float, first: int, second: int
) -> None:
    """Twice. The hook of the resumed training knows nothing of what came before but what was saved."""
    whole = begun(way[0], optimizer, sparsity, way[1])
    advance(whole, 20)
    attempt = begun(way[0], optimizer, sparsity, way[1])
    for stop in (*sorted((first, second)), 20):
        advance(attempt, stop)
        following = begun(way[0], optimizer, sparsity, way[1], seed=9)
        following.resume(*attempt.dump())
        attempt = following
    assert same(whole, attempt) and whole.remaining == attempt.remaining
    counted = whole.hooks[-1]
    assert isinstance(counted, Checking)
    assert {change.step: change.kept for change in whole.remaining if change.step} == {
        step: sum(kept.values()) for step, kept in counted.kept.items() if step in {c.step for c in whole.remaining}
    }
    assert sum(counted.kept[20].values()) == SIZE - round(sparsity * SIZE)


def test_rigl_is_resumed_before_at_and_after_each_update() -> None:
    """Updates are in the steps that follow 0, 3, 6, 9 and 12."""
    whole, attempt = (begun(RIGL, OPTIMIZERS[0], 0.8, Magnitude()) for _ in range(2))
    advance(whole, 14)
    for stop in range(1, 14):
        advance(attempt, stop)
        following = begun(RIGL, OPTIMIZERS[0], 0.8, Magnitude(), seed=5)
        following.resume(*attempt.dump())
        advance(following, 14)
        assert same(whole, following)


@pytest.mark.parametrize("sparsity", [0.3, 0.77])
def test_gradual_counts_are_exact_after_each_round_and_nothing_returns(sparsity: float) -> None:
    """Trap 12: counted from the schedule, never from what is left."""
    pruned = begun(GRADUAL, OPTIMIZERS[0], sparsity, Random())
    advance(pruned, 20)
    wanted = {t: sparsity + (0.2 - sparsity) * (1 - t / 13) ** 3 for t in (0, 4, 8, 12)} | {13: sparsity}
    assert {change.step: change.kept for change in pruned.remaining} == {
        t: SIZE - round(s * SIZE) for t, s in wanted.items()
    }


@pytest.mark.parametrize("way", [SET, RIGL], ids=["set", "rigl"])
def test_every_layer_keeps_its_number_of_weights(way: Rounds) -> None:
    pruned = begun(way, OPTIMIZERS[0], 0.8, Magnitude())
    advance(pruned, 20)
    counted = pruned.hooks[-1]
    assert isinstance(counted, Checking)
    assert all(kept == counted.kept[1] for kept in counted.kept.values())
    masks = pruned.masks
    advance(other := begun(way, OPTIMIZERS[0], 0.8, Magnitude()), 1)
    assert any(not torch.equal(masks[name], mask) for name, mask in other.masks.items()), "and they move"


@pytest.mark.parametrize("criterion", [Snip(), SynFlow(), Fisher()], ids=lambda criterion: criterion.name)
def test_scoring_leaves_a_training_and_the_global_generators_as_they_were(criterion: Criterion) -> None:
    """Trap 9, inside a training: statistics, mode, gradients and random state."""
    pruned = begun(GRADUAL, OPTIMIZERS[0], 0.5, criterion)
    advance(pruned, 3)
    state = {name: value.clone() for name, value in pruned.network.state_dict().items()}
    modes = [module.training for module in pruned.network.modules()]
    draws = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]
    gradients = [None if value.grad is None else value.grad.clone() for value in pruned.network.parameters()]
    hook = pruned.hooks[0]
    hook.setting.prune(pruned, 0.4)  # type: ignore[attr-defined]
    assert all(torch.equal(state[name], value) for name, value in pruned.network.state_dict().items())
    assert modes == [module.training for module in pruned.network.modules()]
    assert torch.equal(draws[0], torch.get_rng_state()) and draws[2] == random.getstate()
    assert draws[1] == np.random.get_state()[1].tolist()  # type: ignore[index]
    for before, value in zip(gradients, pruned.network.parameters(), strict=True):
        assert (before is None and value.grad is None) or torch.equal(before, value.grad)  # type: ignore[arg-type]


def test_inverted_the_highest_scores_go() -> None:
    way = rounds({"name": "gradual", "from": {"step": 0}, "to": {"step": 1}, "every": {"steps": 1}, "initial": 0.5})
    kept = {}
    for invert in (False, True):
        pruned = pruned_training(way, small_network(), training(), sparsity=0.5, invert=invert)
        advance(pruned, 0)
        kept[invert] = pruned.masks
    assert all(torch.equal(kept[True][name], ~mask) for name, mask in kept[False].items())


def test_whole_channels_go_gradually_and_take_their_biases_along() -> None:
    way = rounds({"name": "gradual", "from": {"step": 0}, "to": {"step": 12}, "every": {"steps": 3}})
    checking = Checking()
    pruned = pruned_training(
        way, small_network(), training(), sparsity=0.4, scope=Layerwise(), structure=Channels(), others=[checking]
    )
    advance(pruned, 20)
    assert any(mask.dim() == 1 and not mask.all() for mask in pruned.masks.values())
    kept = [change.kept for change in pruned.remaining]
    assert kept == sorted(kept, reverse=True) and abs(kept[-1] - 0.6 * SIZE) < 0.1 * SIZE
