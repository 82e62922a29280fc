"""The loop: bit-exact resumption, weights that stay pruned, the schedule, honest accuracy."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from networks import SHAPE, small_network
from prunectl.base.errors import MethodError
from prunectl.catalog.recipe import Recipe, learning_rate
from prunectl.training.evaluate import evaluate
from prunectl.training.loop import Material, Trainee, advance, begin
from prunectl.training.pixels import Normalize
from prunectl.training.source import Held
from prunectl.training.state import dump, load_optimizer, resume

RECIPE = Recipe(
    steps=20,
    steps_per_epoch=5,
    batch_size=8,
    optimizer="sgd",
    lr=0.1,
    momentum=0.9,
    nesterov=False,
    weight_decay=1e-2,
    schedule="step",
    milestones=(10, 15),
    gamma=0.1,
    warmup=0,
    augment=(),
)


def material(seed: int = 0, count: int = 39) -> Material:
    draws = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, *SHAPE), generator=draws, dtype=torch.uint8)
    labels = torch.arange(count) % 3
    return Material(
        train=Held(images, labels),
        test=Held(images[:7], labels[:7]),
        normalize=Normalize([0.5], [0.3], torch.device("cpu")),
    )


def masks() -> dict[str, torch.Tensor]:
    draws = torch.Generator().manual_seed(5)
    names = {"0.weight": (4, 1, 3, 3), "3.conv.weight": (4, 4, 3, 3), "6.weight": (36, 36)}
    return {name: torch.rand(shape, generator=draws) < 0.5 for name, shape in names.items()}


def same(one: Trainee, other: Trainee) -> bool:
    (tensors, numbers), (others, other_numbers) = dump(one), dump(other)
    return (
        numbers == other_numbers
        and tensors.keys() == others.keys()
        and all(torch.equal(tensors[name], others[name]) for name in tensors)
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("stop", [1, 5, 13, 19])
def test_a_training_taken_up_again_gives_the_same_bits(optimizer: str, stop: int) -> None:
    recipe = replace(RECIPE, optimizer=optimizer)
    whole = begin(small_network(), recipe)
    advance(whole, 20, material=material(), recipe=recipe, masks=masks(), seed=3)
    first = begin(small_network(), recipe)
    advance(first, stop, material=material(), recipe=recipe, masks=masks(), seed=3)
    second = begin(small_network(seed=9), recipe)
    resume(second, *dump(first))
    advance(second, 20, material=material(), recipe=recipe, masks=masks(), seed=3)
    assert same(whole, second)
    assert [point.step for point in second.curve] == [5, 10, 15, 20]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("nesterov", [False, True])
def test_pruned_weights_and_their_buffers_are_zero_after_every_step(optimizer: str, nesterov: bool) -> None:
    """Trap 8: weights come back through momentum or weight decay."""
    recipe = replace(RECIPE, optimizer=optimizer, nesterov=nesterov)
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
    dense = begin(small_network(), recipe)
    advance(dense, 7, material=material(), recipe=recipe, masks={}, seed=3)
    trainee = begin(small_network(), recipe, step=7)
    tensors, _ = dump(dense)
    trainee.network.load_state_dict(dense.network.state_dict())
    load_optimizer(trainee, tensors, pruned)
    advance(trainee, 20, material=material(), recipe=recipe, masks=pruned, seed=3, pulse=check)
    assert checked == list(range(8, 21))


def test_a_mask_that_keeps_everything_changes_no_bit() -> None:
    """Trap 16: sparsity 0 is the baseline."""
    one, other = begin(small_network(), RECIPE), begin(small_network(), RECIPE)
    advance(one, 12, material=material(), recipe=RECIPE, masks={}, seed=3)
    full = {name: torch.ones_like(mask) for name, mask in masks().items()}
    advance(other, 12, material=material(), recipe=RECIPE, masks=full, seed=3)
    assert same(one, other)


def test_the_loop_is_the_plain_loop() -> None:
    """Against torch's own SGD written out by hand, one step at a time, without momentum."""
    recipe = replace(RECIPE, momentum=0.0, weight_decay=0.0, schedule="constant")
    data, trained = material(), begin(small_network(), recipe)
    advance(trained, 1, material=data, recipe=recipe, masks={}, seed=3)
    from prunectl.base.rng import generator

    chosen = torch.randperm(39, generator=generator(3, "order", 0))[:8]
    plain = small_network().train()
    (images,) = data.train.batches([chosen])
    inputs = (images.float() / 255 - 0.5) / 0.3
    loss = torch.nn.functional.cross_entropy(plain(inputs), data.train.labels[chosen])
    loss.backward()  # type: ignore[no-untyped-call]  # missing in the stubs of torch
    for (name, parameter), after in zip(plain.named_parameters(), trained.network.parameters(), strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(after, parameter.detach() - 0.1 * parameter.grad, msg=name)


def test_the_rate_at_every_step_is_the_schedules() -> None:
    seen: list[float] = []
    trainee = begin(small_network(), RECIPE)
    advance(
        trainee, 20, material=material(), recipe=RECIPE, masks={}, seed=3,
        pulse=lambda now: seen.append(now.optimizer.param_groups[0]["lr"]),
    )  # fmt: skip
    assert seen == pytest.approx([0.1] * 10 + [0.01] * 5 + [0.001] * 5)


@given(st.sampled_from(["constant", "step", "cosine", "linear"]), st.integers(0, 19), st.integers(0, 8))
def test_rates_are_positive_and_warmup_rises_to_them(kind: str, step: int, warmup: int) -> None:
    recipe = replace(RECIPE, schedule=kind, warmup=warmup)
    rate, cold = learning_rate(recipe, step), learning_rate(replace(recipe, warmup=0), step)
    assert 0 < rate <= cold
    assert rate == pytest.approx(cold * min(1, (step + 1) / warmup) if warmup else cold)


def test_cosine_and_linear_run_to_their_ends() -> None:
    cosine, linear = replace(RECIPE, schedule="cosine"), replace(RECIPE, schedule="linear")
    assert learning_rate(cosine, 0) == learning_rate(linear, 0) == 0.1
    assert learning_rate(cosine, 10) == pytest.approx(0.05)
    assert learning_rate(linear, 15) == pytest.approx(0.025)


def test_a_constant_predictor_scores_one_over_the_classes() -> None:
    """Trap 1: correct / total, with an odd last batch (the thesis reads 9.89)."""

    class Constant(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.eye(10)[:1].expand(len(x), 10)

    count = 1230
    score = evaluate(
        Constant(),
        Held(torch.zeros(count, 1, 2, 2, dtype=torch.uint8), torch.arange(count) % 10),
        Normalize([0.0], [1.0], torch.device("cpu")),
    )
    assert score.top1 == 0.1
    assert score.top5 == 0.5
    assert math.isfinite(score.loss)


def test_a_last_batch_of_one_image_that_batch_norm_cannot_train_on_says_what_to_do() -> None:
    """A feature map of 1x1 leaves one value a channel: 9 images in batches of 8 leave one image over."""
    recipe = replace(RECIPE, steps=2, steps_per_epoch=2)
    shrinking = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 6), torch.nn.BatchNorm2d(3), torch.nn.Flatten())
    with pytest.raises(MethodError, match=r"last of 9 .* in batches of 8 is alone .*another batch_size or train_limit"):
        advance(begin(shrinking, recipe), 2, material=material(count=9), recipe=recipe, masks={}, seed=3)
    large = begin(small_network(), recipe)  # whose maps are larger: one image is enough
    advance(large, 2, material=material(count=9), recipe=recipe, masks={}, seed=3)
    assert large.step == 2


def test_a_diverged_training_says_so() -> None:
    recipe = replace(RECIPE, lr=1e30)
    with pytest.raises(MethodError, match="diverged"):
        advance(begin(small_network(), recipe), 20, material=material(), recipe=recipe, masks={}, seed=3)


def test_a_training_that_diverges_in_the_last_update_of_an_epoch_says_so() -> None:
    """The losses that were trained on are finite: they are of the weights before each update."""
    recipe = replace(RECIPE, lr=1e30, steps=1, steps_per_epoch=1)
    with pytest.raises(MethodError, match=r"diverged: the test loss is (nan|inf) after step 1$"):
        advance(begin(small_network(), recipe), 1, material=material(), recipe=recipe, masks={}, seed=3)
