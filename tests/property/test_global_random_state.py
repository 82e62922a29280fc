"""Code that draws from the global generators: the same bits alone, resumed and in rounds; and it leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from drawing import Drawing, Guess, Jolt, Noise, Noisy, RandomFeatures, disturb, drawing_network, global_state
from networks import SHAPE, small_network
from prunectl.base.rng import generator, seed_globals
from prunectl.catalog.masks import Pruned
from prunectl.catalog.recipe import Recipe
from prunectl.datasets.content import content_of
from prunectl.datasets.digits import Digits
from prunectl.plan.steps import Data, Init, Key, Measure, Network, Recalibrate, Train
from prunectl.pruning.cut import Cut
from prunectl.pruning.in_rounds import prune_in_rounds
from prunectl.pruning.mask import dense
from prunectl.pruning.prunable import prunable
from prunectl.pruning.rounds.exponential import Exponential
from prunectl.pruning.scopes.global_ import Global
from prunectl.pruning.scoring import Scoring, score
from prunectl.pruning.structures.weights import Weights
from prunectl.training.loop import advance
from prunectl.training.metrics.loss import Loss
from prunectl.training.source import RandomWindow
from prunectl.training.trainee import Trainee, begin
from prunectl.work.context import Context
from prunectl.work.masks import write_masks
from prunectl.work.networks import empty
from prunectl.work.perform import perform
from trainings import RECIPE, same, training


def begun(seed: int = 3, network_seed: int = 0, step: int = 0) -> Trainee:
    """A network that draws in every step, with an augmentation and a hook that draw."""
    disturb(network_seed)
    network = drawing_network(36, 3)
    disturb(0)
    twin = drawing_network(36, 3)
    network[1] = twin[1]  # what no state holds: every step of a study builds it with the same seed
    return begin(network, replace(training(augment=(Noise(),)), seed=seed), hooks=[Jolt()], step=step)


@pytest.fixture(scope="module")
def whole() -> Trainee:
    trained = begun()
    advance(trained, 20)
    return trained


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 19), max_size=4), st.integers(0, 99))
def test_a_training_that_draws_is_the_same_alone_and_resumed_at_any_step(
    whole: Trainee, stops: list[int], elsewhere: int
) -> None:
    attempt = begun()
    for stop in [*sorted(stops), 20]:
        disturb(elsewhere + stop)
        state = global_state()
        advance(attempt, stop)
        assert global_state() == state
        following = begun(network_seed=9)
        following.resume(*attempt.dump())
        attempt = following
    assert same(whole, attempt)


def test_another_seed_draws_something_else() -> None:
    """On one batch of all images, so that their order does not matter."""
    plan = training(steps_per_epoch=1, batch_size=39, augment=())
    weights = []
    for seed in (3, 3, 4):
        disturb(0)
        trainee = begin(drawing_network(36, 3), replace(plan, seed=seed))
        advance(trainee, 1)
        weights.append(trainee.network.get_parameter("2.weight"))
    assert torch.equal(weights[0], weights[1])
    assert not torch.allclose(weights[0], weights[2], rtol=1e-3)


def test_a_step_does_not_depend_on_the_steps_before_it() -> None:
    """A rewound training drops at a step what the dense one dropped there."""
    dropped: list[list[bool]] = []
    for first in (0, 7):
        trainee = begun(step=first)
        advance(trainee, 7)
        dropout = trainee.network.get_submodule("4")
        dropout.register_forward_hook(lambda *call: dropped.append((call[-1] == 0).tolist()))
        advance(trainee, 8)
    assert dropped[0] == dropped[1]


def test_a_training_that_fails_leaves_the_global_generators_as_they_were() -> None:
    trainee = begun()
    trainee.network.get_submodule("0").register_forward_hook(fail)
    disturb(5)
    state = global_state()
    with pytest.raises(ZeroDivisionError):
        advance(trainee, 20)
    assert global_state() == state


def fail(*_: object) -> None:
    """What a layer may do."""
    raise ZeroDivisionError


def test_a_window_is_drawn_for_each_picture_whoever_reads_it() -> None:
    """In a reader's process, in any order, or between the steps of the training."""

    class Cut(Noise):
        on_reading = True

        def cut(self, width: int, height: int, generator: torch.Generator) -> tuple[int, int, int, int]:
            return (int(torch.randint(1000, ())), 0, height, width)

    window = RandomWindow(augmentation=Cut(), seed=3, epoch=2)
    seed_globals(1, "elsewhere")
    found = {index: window(index, 32, 32) for index in (4, 1, 3)}
    seed_globals(2, "elsewhere")
    assert found == {index: window(index, 32, 32) for index in (1, 3, 4)}
    assert len(set(found.values())) == 3


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_criterion_that_draws_scores_the_same_every_time_and_otherwise_in_every_round(repeatable: bool) -> None:
    class Counting(Guess):
        pass

    Counting.repeatable = repeatable
    network, found, scored = small_network(), [], []
    for elsewhere in (1, 2):
        disturb(elsewhere)
        state = global_state()
        pruned = prune_in_rounds(
            Scoring(criterion=Counting(), shape=SHAPE, generator=generator(1, "score-guess")),
            network,
            Cut(units=Weights().units(network, SHAPE), scope=Global()),
            0.9,
            Exponential(count=3),
        )
        scored.append(score(Scoring(criterion=Counting(), shape=SHAPE, generator=generator(1, "score-guess")), network))
        assert global_state() == state
        found.append(pruned.masks)
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    assert all(torch.equal(scored[0][name], scored[1][name]) for name in scored[0])
    other = score(Scoring(criterion=Counting(), shape=SHAPE, generator=generator(2, "score-guess")), network)
    assert not torch.equal(other["0.weight"], scored[0]["0.weight"])


NETWORK = Network(model=Drawing(), init="kaiming-normal", bn_init="ones", shape=(1, 8, 8), classes=10)
DATA = Data(
    dataset=Digits(), fingerprint=content_of(Digits(), Path()).fingerprint, train_limit=100, test_limit=50
)  # fmt: skip
RECIPE_HERE: Recipe = replace(RECIPE, steps=4, steps_per_epoch=2, batch_size=50)


def chain(folder: Path, seed: int, elsewhere: Iterator[int]) -> dict[str, bytes]:
    """The files of a training, its recalibration and its measurement, each step done after other work."""
    start, state, mask = (Key(letter * 64) for letter in "abc")
    train = Train(
        network=NETWORK, data=DATA, recipe=RECIPE_HERE, seed=seed, start=start, mask=None, optimizer="fresh",
        first_step=0, to_step=4,
    )  # fmt: skip
    recalibrate = Recalibrate(network=NETWORK, data=DATA, seed=seed, state=state, mask=mask)
    measure = Measure(
        network=NETWORK, data=DATA, seed=seed, exclude=(), state=state, mask=mask, metrics=(Noisy(), Loss())
    )  # fmt: skip
    steps = {"start": Init(network=NETWORK, seed=seed), "train": train, "again": recalibrate, "measure": measure}
    (folder / "mask").mkdir(parents=True)
    masks = dense(prunable(empty(NETWORK, seed)))
    write_masks(folder / "mask", Pruned(masks=masks, tied=0, tied_pruned=0), NETWORK, seed)
    inputs = {"start": folder / "start", "state": folder / "train", "mask": folder / "mask"}
    context = Context(device=torch.device("cpu"), data_root=folder, snapshots=folder / "snapshots")
    for name, step in steps.items():
        out = folder / name
        out.mkdir()
        disturb(next(elsewhere))
        state_before = global_state()
        perform(step, inputs, out, context)
        assert global_state() == state_before
    return {f"{name}/{path.name}": path.read_bytes() for name in steps for path in (folder / name).iterdir()}


def test_every_kind_of_step_that_draws_gives_the_same_bits_whatever_was_done_before(tmp_path: Path) -> None:
    """Trained by one command and measured by the next, too: each builds the network again."""
    once, again = (chain(tmp_path / str(count), 1, iter(range(count, count + 9))) for count in (10, 20))
    assert once == again
    other = chain(tmp_path / "other", 2, iter(range(9)))
    assert {name for name in once if other[name] == once[name]} == set()


def test_a_seed_builds_one_network_and_another_seed_another() -> None:
    built: list[tuple[list[list[float]], float]] = []
    for seed in (1, 1, 2):
        disturb(len(built))
        features = empty(NETWORK, seed).get_submodule("1")
        assert isinstance(features, RandomFeatures) and isinstance(features.projection, torch.Tensor)
        built.append((features.projection.tolist(), features.shift))
    assert built[0] == built[1]
    assert built[0][0] != built[2][0] and built[0][1] != built[2][1]
