"""Steps that read fixed places in memory leave the bits of ordinary ones; and which steps are never recorded.

Here a step is "recorded" without a GPU, and called instead of replayed. `tests/cuda` has the same with a GPU.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from prunectl.catalog.optimizer import Optimizer
from prunectl.training import graphed, loop
from prunectl.training.augmentations.flip import Flip
from prunectl.training.augmentations.pad_crop import PadCrop
from prunectl.training.device import make_capturable, set_rate
from prunectl.training.graphed import WARM, Batch, Learn, Replaying, Static, unrecordable
from prunectl.training.optimizers.adam import Adam
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.trainee import Trainee, begin
from trainings import OPTIMIZERS, Called, masks, same, trainee, training

AUGMENT = (PadCrop(pad=1), Flip())


class Watched(Static):
    """A static step that counts its calls."""

    def __init__(self, learn: Learn, like: Batch) -> None:
        super().__init__(learn, like)
        self.places = [tensor.data_ptr() for tensor in self.batch.tensors]
        MADE.append(self)
        self.sizes: list[int] = []

    def __call__(self, batch: Batch) -> None:
        super().__call__(batch)
        self.sizes.append(len(batch.labels))
        assert [tensor.data_ptr() for tensor in self.batch.tensors] == self.places
        for tensor in batch.tensors:
            tensor.zero_()  # what a batch holds later is nothing that a recorded step may read


MADE: list[Watched] = []


@pytest.fixture
def replaying(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Learn, Batch], Static]], None]:
    """Let the loop do its steps as on a GPU."""
    MADE.clear()

    def use(record: Callable[[Learn, Batch], Static]) -> None:
        @contextmanager
        def steps(trainee: Trainee, learn: Learn) -> Iterator[Learn]:
            yield Replaying(learn, record)

        monkeypatch.setattr(loop, "steps_of", steps)

    return use


Use = Callable[[Callable[[Learn, Batch], Static]], None]


def dropping() -> nn.Sequential:
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 36), nn.Dropout(0.5), nn.Linear(36, 3))


def test_a_static_step_leaves_the_bits_of_an_ordinary_one(replaying: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """With dropout, and a last batch of another size: 7 images."""
    # Here dropout draws on the CPU, and is called in every step all the same.
    monkeypatch.setattr(graphed, "_host_generators", tuple)
    plan = training(augment=AUGMENT)
    ordinary, static = (begin(dropping(), plan) for _ in range(2))
    loop.advance(ordinary, 20)
    replaying(Watched)
    loop.advance(static, 20)
    assert same(ordinary, static)
    assert [made.sizes for made in MADE] == [[8] * (16 - WARM)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.label())
def test_masks_that_change_and_a_training_that_is_resumed(replaying: Use, optimizer: Optimizer) -> None:
    plan = training(optimizer=optimizer, augment=AUGMENT)
    fewer = {name: mask & (torch.arange(mask.numel()).view_as(mask) % 3 > 0) for name, mask in masks().items()}

    def prune(now: object) -> None:
        if isinstance(now, Trainee) and now.step == 9:
            now.remask(fewer)

    ordinary, static, resumed = (trainee(plan, masks=masks(), hooks=[Called(prune)], seed=s) for s in (0, 0, 9))
    loop.advance(ordinary, 20)
    replaying(Watched)
    loop.advance(static, 13)
    resumed.resume(*static.dump())
    loop.advance(resumed, 20)
    assert same(ordinary, resumed)
    assert len(MADE) == 2


@pytest.mark.parametrize("optimizer", [Sgd(), Adam()], ids=lambda optimizer: optimizer.label())
def test_a_rate_that_is_a_tensor_changes_in_place(optimizer: Optimizer) -> None:
    plan = training(optimizer=optimizer)
    number, tensor = trainee(plan), trainee(plan)
    (group,) = tensor.optimizer.param_groups
    rate = group["lr"] = torch.zeros((), dtype=torch.float64)
    loop.advance(number, 20)
    loop.advance(tensor, 20)
    assert group["lr"] is rate
    assert float(rate) == number.optimizer.param_groups[0]["lr"]
    assert same(number, tensor)


def test_a_capturable_optimizer_reads_its_rate_on_the_device() -> None:
    started = trainee(training(optimizer=Adam()))
    make_capturable(started.optimizer, torch.device("cpu"))
    (group,) = started.optimizer.param_groups
    set_rate(started.optimizer, 0.1)
    assert torch.equal(group["lr"], torch.tensor(0.1))
    assert group["capturable"]


class Drawing(nn.Module):
    """Draws on the CPU, from a generator that the loop seeds in every step."""

    def __init__(self, draw: Callable[[], float]) -> None:
        super().__init__()
        self.inner, self.draw = nn.Linear(36, 3), draw

    def forward(self, x: Tensor) -> Tensor:
        """Logits, times a random number."""
        out: Tensor = self.inner(x.flatten(1)) * self.draw()
        return out


@pytest.mark.parametrize("draw", [random.random, lambda: float(np.random.rand()), lambda: float(torch.rand(()))])
def test_a_step_that_draws_on_the_cpu_is_not_recorded(
    replaying: Use, draw: Callable[[], float], caplog: pytest.LogCaptureFixture
) -> None:
    plan, network = training(), Drawing(draw)
    ordinary, static = begin(network, plan), begin(Drawing(draw), plan)
    static.network.load_state_dict(network.state_dict())
    loop.advance(ordinary, 20)
    replaying(Watched)
    loop.advance(static, 20)
    assert same(ordinary, static)
    assert not MADE
    assert [record.message for record in caplog.records] == [
        "training steps are not recorded as a CUDA graph, and take longer: a step draws random numbers on the CPU"
    ]


def test_where_recording_fails_steps_are_called_and_the_log_has_the_reason_once(
    replaying: Use, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(learn: Learn, like: Batch) -> Static:
        raise RuntimeError("operation not permitted when stream is capturing")

    ordinary, called = trainee(), trainee()
    loop.advance(ordinary, 20)
    replaying(failing)
    loop.advance(called, 20)
    assert same(ordinary, called)
    assert len(caplog.records) == 1
    assert "operation not permitted" in caplog.text


class Unknown(Optimizer):
    name = "unknown"
    summary = "does not declare whether it can be recorded"


class Shift(Flip):
    name = "shift"


def test_code_of_third_parties_is_not_recorded() -> None:
    """What it decides in Python would be decided once."""
    plan = training(augment=AUGMENT)
    assert unrecordable(begin(dropping(), plan)) is None
    third = f"is code of a third party ({__name__})"
    drawing = begin(Drawing(random.random), plan)
    assert unrecordable(drawing) == f"Drawing {third}"
    assert unrecordable(begin(dropping(), training(augment=(Shift(),)))) == f"Shift {third}"
    static = begin(dropping(), plan)
    static.training = training(optimizer=Unknown())
    assert unrecordable(static) == "the optimizer unknown does not declare that its steps can be recorded"


def test_on_the_cpu_nothing_is_recorded() -> None:
    started = trainee()

    def learn(batch: Batch) -> None:
        """Never called here."""

    with graphed.steps_of(started, learn) as step:
        assert step is learn
