"""The loop: bit-exact resumption, weights that stay pruned, hooks."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from networks import small_network
from prunectl.base.rng import generator
from prunectl.catalog.hook import Hook, Trainee
from prunectl.catalog.optimizer import Optimizer
from prunectl.training.hooks import Evaluation
from prunectl.training.loop import advance
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.schedules.constant import Constant
from prunectl.training.state import load_optimizer
from prunectl.training.trainee import begin
from trainings import OPTIMIZERS, Called, masks, same, trainee, training


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.label())
@pytest.mark.parametrize("stop", [1, 5, 13, 19])
def test_a_resumed_training_gives_the_same_bits(optimizer: Optimizer, stop: int) -> None:
    plan = training(optimizer=optimizer)
    whole, first, second = (trainee(plan, masks=masks(), hooks=[Evaluation(plan)], seed=seed) for seed in (0, 0, 9))
    advance(whole, 20)
    advance(first, stop)
    second.resume(*first.dump())
    advance(second, 20)
    assert same(whole, second)
    assert [point.step for point in second.curve] == [5, 10, 15, 20]


@pytest.mark.parametrize("stop", [3, 11])
def test_a_training_with_smoothed_labels_and_short_gradients_is_resumed_bit_for_bit(stop: int) -> None:
    plan = training(label_smoothing=0.1, clip_norm=0.3)
    whole, first, second = (trainee(plan, masks=masks(), hooks=[Evaluation(plan)], seed=seed) for seed in (0, 0, 9))
    advance(whole, 20)
    advance(first, stop)
    second.resume(*first.dump())
    advance(second, 20)
    assert same(whole, second)


def test_a_state_of_a_version_that_did_not_count_right_images_is_resumed_without_that_number() -> None:
    plan = training()
    first, second = (trainee(plan, hooks=[Evaluation(plan)]) for _ in range(2))
    advance(first, 7)
    tensors, numbers = first.dump()
    del tensors["right"]
    for point in numbers["curve"]:
        del point["train_top1"]
    second.resume(tensors, numbers)
    for trained in (first, second):
        advance(trained, 20)
    unknown = [point.train_top1 is None for point in second.curve]
    assert unknown == [True, True, False, False]
    assert [point.train_top1 for point in second.curve[2:]] == [point.train_top1 for point in first.curve[2:]]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.label())
def test_pruned_weights_and_their_buffers_are_zero_after_every_step(optimizer: Optimizer) -> None:
    """Trap 8: weights come back through momentum or weight decay."""
    plan = training(optimizer=optimizer)
    pruned = masks()

    def check(trainee: Trainee) -> None:
        parameters = dict(trainee.network.named_parameters())
        for name, mask in pruned.items():
            assert not parameters[name][~mask].any()
            for value in trainee.optimizer.state[parameters[name]].values():
                if torch.is_tensor(value) and value.shape == mask.shape:
                    assert not value[~mask].any()
        checked.append(trainee.step)

    checked: list[int] = []
    dense = trainee(plan)
    advance(dense, 7)
    pruning = trainee(plan, masks=pruned, hooks=[Called(check)], step=7)
    pruning.network.load_state_dict(dense.network.state_dict())
    load_optimizer(pruning.network, pruning.optimizer, dense.dump()[0], pruned)
    pruning.remask(pruned)
    advance(pruning, 20)
    assert checked == list(range(8, 21))


def test_a_mask_that_keeps_everything_changes_no_bit() -> None:
    """Trap 16: sparsity 0 is the baseline."""
    full = {name: torch.ones_like(mask) for name, mask in masks().items()}
    one, other = trainee(), trainee(masks=full)
    advance(one, 12)
    advance(other, 12)
    assert same(one, other)


def test_the_loop_is_the_plain_loop() -> None:
    """Against torch's own SGD written out by hand, one step at a time, without momentum."""
    plan = training(optimizer=Sgd(momentum=0.0), weight_decay=0.0, schedule=Constant())
    trained = trainee(plan)
    advance(trained, 1)
    chosen = torch.randperm(39, generator=generator(3, "order", 0))[:8]
    plain = small_network().train()
    (images,) = plan.material.train.batches([chosen])
    inputs = (images.float() / 255 - 0.5) / 0.3
    loss = torch.nn.functional.cross_entropy(plain(inputs), plan.material.train.labels[chosen])
    loss.backward()  # type: ignore[no-untyped-call]  # missing in the stubs of torch
    for (name, parameter), after in zip(plain.named_parameters(), trained.network.parameters(), strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(after, parameter.detach() - 0.1 * parameter.grad, msg=name)


@pytest.mark.parametrize("penalty", [0.0, 0.02])
def test_a_penalty_on_the_scales_of_batch_norm_adds_its_sign_to_their_gradient(penalty: float) -> None:
    """Liu et al. (2017): bn_l1 · sign(γ), nothing at γ = 0, and nothing for any other parameter."""
    plan = training(optimizer=Sgd(momentum=0.0), weight_decay=0.0, schedule=Constant())
    penalized = training(optimizer=Sgd(momentum=0.0), weight_decay=0.0, schedule=Constant(), bn_l1=penalty)
    networks = []
    for whole in (plan, penalized):
        trained = trainee(whole)
        with torch.no_grad():
            trained.network.get_parameter("1.weight").copy_(torch.tensor([0.5, -0.5, 0.0, 1.0]))
        advance(trained, 1)
        networks.append(trained.network)
    before, after = (dict(network.named_parameters()) for network in networks)
    scales = {"1.weight": torch.tensor([1.0, -1.0, 0.0, 1.0]), "3.norm.weight": torch.ones(4)}
    for name, parameter in before.items():
        expected = parameter.detach() - 0.1 * penalty * scales.get(name, torch.zeros(()))
        torch.testing.assert_close(after[name].detach(), expected, rtol=1e-5, atol=1e-7, msg=name)


def test_the_rate_at_every_step_is_the_schedules() -> None:
    seen: list[float] = []
    advance(trainee(hooks=[Called(lambda now: seen.append(now.optimizer.param_groups[0]["lr"]))]), 20)
    assert seen == pytest.approx([0.1] * 10 + [0.01] * 5 + [0.001] * 5)


class Grabbing(Hook):
    """Asks for the gradients of some steps, and claims some of them."""

    def __init__(self, wanted: set[int], claimed: set[int]) -> None:
        self.wanted, self.claimed = wanted, claimed
        self.seen: list[int] = []
        self.dense: list[bool] = []

    def wants_gradients(self, step: int) -> bool:
        return step in self.wanted

    def gradients(self, trainee: Trainee) -> bool:
        self.seen.append(trainee.step)
        grad = dict(trainee.network.named_parameters())["6.weight"].grad
        assert grad is not None
        self.dense.append(bool(grad[~masks()["6.weight"]].any()))
        return trainee.step in self.claimed


def test_a_hook_sees_the_gradients_of_the_steps_that_it_asks_for_before_they_are_masked() -> None:
    hook = Grabbing(wanted={2, 5}, claimed=set())
    watched, plain = trainee(masks=masks(), hooks=[hook]), trainee(masks=masks())
    advance(watched, 8)
    advance(plain, 8)
    assert hook.seen == [2, 5]
    assert hook.dense == [True, True]
    assert same(watched, plain)


def test_a_claimed_step_changes_no_weight_and_counts_as_one() -> None:
    """RigL: the gradients of such a step choose what grows, and no step is made of them."""
    hook, other = Grabbing(wanted={3}, claimed={3}), Grabbing(wanted={3}, claimed=set())
    claimed = trainee(masks=masks(), hooks=[hook, other])
    advance(claimed, 3)
    before = {name: value.clone() for name, value in claimed.network.named_parameters()}
    advance(claimed, 4)
    assert all(torch.equal(value, before[name]) for name, value in claimed.network.named_parameters())
    assert (claimed.step, claimed.seen) == (4, 32)
    assert other.seen == [3]


class PassedOver(nn.Module):
    """A layer that only later steps use."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.calls = nn.Linear(36, 36), 0

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        self.calls += 1
        out: Tensor = x + self.inner(x) if self.calls > 3 else x
        return out


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.label())
def test_a_layer_that_is_passed_over_at_first_is_trained_from_its_first_gradient_on(optimizer: Optimizer) -> None:
    """Stochastic depth; masked or not, and resumed in between."""
    layer = PassedOver()
    network = nn.Sequential(nn.Flatten(), layer, nn.Linear(36, 3))
    mask = torch.rand(36, 36, generator=generator(1, "mask")) < 0.5
    plan = training(optimizer=optimizer)
    once = begin(network, plan, masks={"1.inner.weight": mask})
    start = layer.inner.weight.detach().clone()
    advance(once, 2)
    assert torch.equal(layer.inner.weight, start)
    again = begin(copy.deepcopy(network), plan, masks={"1.inner.weight": mask})
    again.resume(*once.dump())
    for trained in (once, again):
        advance(trained, 6)
    assert same(once, again)
    assert not torch.equal(layer.inner.weight, start)
    assert not layer.inner.weight[~mask].any()
