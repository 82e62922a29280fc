"""Steps on a GPU: recorded ones leave the bits of those that are called, and none of them waits."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from prunectl.base.rng import generator
from prunectl.catalog.hook import Hook
from prunectl.catalog.optimizer import Optimizer
from prunectl.catalog.recipe import Precision
from prunectl.models.initialization import initialize
from prunectl.models.resnet import ResNet20
from prunectl.training import graphed, loop
from prunectl.training.augmentations.flip import Flip
from prunectl.training.augmentations.pad_crop import PadCrop
from prunectl.training.hooks import Evaluation
from prunectl.training.optimizers.sgd import Sgd
from prunectl.training.pixels import Normalize, memory_format
from prunectl.training.source import InMemory
from prunectl.training.trainee import Material, Trainee, Training, begin
from trainings import OPTIMIZERS, Called, same, training

GPU = torch.device("cuda")
SHAPE = (3, 16, 16)


def network(dropout: float = 0.3) -> nn.Module:
    """All of torch's own modules: convolution, BatchNorm, dropout, linear layers."""
    torch.manual_seed(4)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Dropout(dropout), nn.Linear(8, 10),
    )  # fmt: skip


def plan(count: int = 150, batch_size: int = 32, **changes: Any) -> Training:
    """A training with seed 3 and a short last batch, augmented."""
    draws = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, *SHAPE), generator=draws, dtype=torch.uint8)
    images = images.contiguous(memory_format=torch.channels_last).to(GPU)
    labels = (torch.arange(count) % 10).to(GPU)
    material = Material(
        train=InMemory(images, labels),
        test=InMemory(images[:50], labels[:50]),
        normalize=Normalize([0.5] * 3, [0.3] * 3, GPU),
    )
    augment = (PadCrop(pad=2), Flip())
    usual: dict[str, Any] = {
        "steps": 30,
        "steps_per_epoch": -(-count // batch_size),
        "batch_size": batch_size,
        "augment": augment,
    }
    return Training(material=material, recipe=training(**usual | changes).recipe, seed=3)


def started(whole: Training, hooks: tuple[Hook, ...] = (), module: nn.Module | None = None) -> Trainee:
    """A masked network on the GPU at the beginning of a training."""
    built = (module or network()).to(GPU)
    masks = {
        name: torch.rand(weight.shape, generator=generator(1, "mask", place)) < 0.6
        for place, (name, weight) in enumerate(built.named_parameters())
        if weight.dim() > 1
    }
    return begin(built, whole, masks=masks, hooks=hooks)


@contextmanager
def called(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every step be called on the GPU, with the rate where a recorded step reads it."""
    with monkeypatch.context() as patched:
        patched.setattr(graphed, "WARM", 10**9)
        yield


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of images of each step that is recorded."""
    sizes: list[int] = []
    begun = graphed.Recorded.__init__

    def counted(self: graphed.Recorded, learn: graphed.Learn, like: graphed.Batch) -> None:
        begun(self, learn, like)
        sizes.append(len(like.labels))

    monkeypatch.setattr(graphed.Recorded, "__init__", counted)
    return sizes


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.label())
def test_recorded_steps_leave_the_bits_of_called_ones(
    optimizer: Optimizer, precision: Precision, recorded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With augmentation, dropout, masks that change on the way, a short last batch, and a resumption."""
    whole = plan(optimizer=optimizer, precision=precision)

    def prune(now: Any) -> None:
        if now.step == 17:
            now.remask({name: mask & (torch.arange(mask.numel(), device=GPU).view_as(mask) % 4 > 0)
                        for name, mask in now.masks.items()})  # fmt: skip

    hooks = (Called(prune), Evaluation(whole))
    eager, graph, resumed = (started(whole, hooks) for _ in range(3))
    with called(monkeypatch):
        loop.advance(eager, 30)
    assert recorded == []
    loop.advance(graph, 12)
    resumed.resume(*graph.dump())
    loop.advance(graph, 30)
    loop.advance(resumed, 30)
    assert recorded == [32, 32, 32]
    assert same(eager, graph)
    assert same(eager, resumed)


def test_resnet_20_leaves_the_same_bits_recorded_called_and_again(
    recorded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = plan()

    def resnet() -> nn.Module:
        built = ResNet20().build(SHAPE, 10)
        initialize(built, init="kaiming-normal", bn_init="ones", generator=generator(1, "init"))
        return built.to(memory_format=memory_format(built))

    graph, again, eager = (started(whole, module=resnet()) for _ in range(3))
    loop.advance(graph, 20)
    loop.advance(again, 20)
    assert recorded == [32, 32]
    with called(monkeypatch):
        loop.advance(eager, 20)
    assert same(graph, again)
    assert same(graph, eager)


class Wanting(Hook):
    """Looks at the gradients of some steps."""

    def wants_gradients(self, step: int) -> bool:
        return step % 7 == 6

    def gradients(self, trainee: Any) -> bool:
        return bool(trainee.step == 13)


def test_steps_whose_gradients_a_hook_wants_are_called(recorded: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = plan()
    eager, graph = started(whole, (Wanting(),)), started(whole, (Wanting(),))
    with called(monkeypatch):
        loop.advance(eager, 30)
    loop.advance(graph, 30)
    assert recorded == [32]
    assert same(eager, graph)


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_nothing_in_the_steps_of_an_epoch_waits_for_the_gpu() -> None:
    """torch raises an error for a call that waits; recording one, which does, comes before."""
    whole = plan(count=32 * 40, steps=40)
    modes = {6: "error", 38: "default"}

    def watch(now: Any) -> None:
        if now.step in modes:
            torch.cuda.set_sync_debug_mode(modes[now.step])

    try:
        loop.advance(started(whole, (Called(watch),)), 40)
    finally:
        torch.cuda.set_sync_debug_mode("default")


class Waiting(nn.Module):
    """Looks at a value on the GPU, which cannot be recorded, and has torch's name."""

    __module__ = "torch.nn"

    def forward(self, x: Tensor) -> Tensor:
        """The same."""
        return x * 2 if float(x.detach().sum()) > 1e30 else x


def test_a_step_that_cannot_be_recorded_is_called_and_later_ones_draw_as_before(
    recorded: list[int], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropout comes after: the generator has to work again after a recording that failed."""
    whole = plan()
    graph, eager = (started(whole, module=nn.Sequential(Waiting(), network())) for _ in range(2))
    with caplog.at_level(logging.WARNING, "prunectl"):
        loop.advance(graph, 20)
    assert recorded == []
    assert len(caplog.records) == 1
    with called(monkeypatch):
        loop.advance(eager, 20)
    assert same(graph, eager)


def test_memory_does_not_grow_from_training_to_training() -> None:
    whole = plan(optimizer=Sgd())
    reserved = []
    for _ in range(4):
        loop.advance(started(whole), 12)
        torch.cuda.empty_cache()
        reserved.append(torch.cuda.memory_reserved())
    assert reserved[-1] <= reserved[1]


def test_float32_is_not_tf32_unless_asked() -> None:
    draws = torch.Generator().manual_seed(0)
    images, kernel = torch.randn(8, 64, 16, 16, generator=draws), torch.randn(64, 64, 3, 3, generator=draws)
    exact = nn.functional.conv2d(images.double(), kernel.double())
    error = (
        nn.functional.conv2d(images.to(GPU), kernel.to(GPU)).double().cpu() - exact
    ).abs().max() / exact.abs().max()
    assert error < 1e-5
