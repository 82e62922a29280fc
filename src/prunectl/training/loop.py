"""The training loop, for baselines and for every retraining.

Contract: from the same start the same bits follow, wherever the training was stopped and taken up again, for one
device, one version of torch and one number of threads. Pruned weights, and what the optimizer keeps of them, are
exactly zero after every step: their gradients are, before the optimizer sees them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.catalog.augmentation import Augmentation
from prunectl.catalog.recipe import Recipe, learning_rate
from prunectl.training.evaluate import evaluate
from prunectl.training.pixels import Normalize, memory_format
from prunectl.training.source import RandomWindow, Source

OPTIMIZERS: Mapping[str, Callable[[list[nn.Parameter], Recipe], torch.optim.Optimizer]] = {
    "sgd": lambda parameters, recipe: torch.optim.SGD(
        parameters,
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        fused=True,
    ),
    "adam": lambda parameters, recipe: torch.optim.Adam(
        parameters, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True
    ),
    "adamw": lambda parameters, recipe: torch.optim.AdamW(
        parameters, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """What is trained and tested on, and how pixels become numbers."""

    train: Source
    test: Source
    normalize: Normalize


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One point of a training curve, at the end of an epoch or of the training."""

    step: int
    epoch: float
    lr: float
    train_loss: float
    test_loss: float
    top1: float


@dataclass(kw_only=True, eq=False)
class Trainee:
    """A network in the course of training, with all that is needed to go on from here."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    layout: torch.memory_format = torch.contiguous_format
    step: int = 0
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    seen: int = 0  # images in `loss_sum`, since the epoch began
    curve: list[Point] = field(default_factory=list)


def begin(network: nn.Module, recipe: Recipe, step: int = 0) -> Trainee:
    """A network at the beginning of a training (or at `step` of it), in its layout, with a fresh optimizer."""
    layout = memory_format(network)
    network.to(memory_format=layout)
    parameters = list(network.parameters())
    device = parameters[0].device
    return Trainee(
        network=network,
        optimizer=OPTIMIZERS[recipe.optimizer](parameters, recipe),
        layout=layout,
        step=step,
        loss_sum=torch.zeros((), dtype=torch.float64, device=device),
    )


def advance(
    trainee: Trainee,
    to_step: int,
    *,
    material: Material,
    recipe: Recipe,
    masks: Mapping[str, Tensor],
    seed: int,
    pulse: Callable[[Trainee], None] = lambda trainee: None,
) -> None:
    """Train on to `to_step`; `pulse` is called after every step (for snapshots, progress, and to stop).

    The order of the images is a permutation per epoch, the augmentation a draw per step, both from `seed` alone.
    Raises MethodError if a loss is not finite at the end of an epoch, or if a batch of one image is too small.
    """
    network = trainee.network
    masked = _masked_parameters(network, masks)
    labels, per_epoch = material.train.labels, recipe.steps_per_epoch
    network.train()
    while trainee.step < to_step:
        epoch, first = divmod(trainee.step, per_epoch)
        last = min(per_epoch, to_step - epoch * per_epoch)
        order = torch.randperm(len(labels), generator=generator(seed, "order", epoch)).to(labels.device)
        chosen = torch.split(order, recipe.batch_size)[first:last]
        for picked, images in zip(chosen, material.train.batches(chosen, _window(recipe, seed, epoch)), strict=True):
            _step(trainee, images, labels[picked], material=material, recipe=recipe, masked=masked, seed=seed)
            if trainee.step % per_epoch == 0 or trainee.step == recipe.steps:
                _close_epoch(trainee, material, recipe)
            pulse(trainee)


def cuts_on_reading(recipe: Recipe) -> Augmentation | None:
    """The augmentation that cuts images as they are read, if there is one: it comes first."""
    first = recipe.augment[0] if recipe.augment else None
    return first if isinstance(first, Augmentation) and first.on_reading else None


def _window(recipe: Recipe, seed: int, epoch: int) -> RandomWindow | None:
    cutting = cuts_on_reading(recipe)
    return None if cutting is None else RandomWindow(augmentation=cutting, seed=seed, epoch=epoch)


def _step(
    trainee: Trainee,
    images: Tensor,
    labels: Tensor,
    *,
    material: Material,
    recipe: Recipe,
    masked: Sequence[tuple[nn.Parameter, Tensor]],
    seed: int,
) -> None:
    network, optimizer = trainee.network, trainee.optimizer
    for number, augmentation in enumerate(recipe.augment):
        assert isinstance(augmentation, Augmentation)
        if not augmentation.on_reading:
            images = augmentation.apply(images, generator(seed, "augment", trainee.step, number))
    inputs = material.normalize(images).contiguous(memory_format=trainee.layout)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(recipe, trainee.step)
    optimizer.zero_grad(set_to_none=True)
    loss = functional.cross_entropy(_outputs(network, inputs, material, recipe), labels)
    loss.backward()  # type: ignore[no-untyped-call]  # missing in the stubs of torch
    for weight, mask in masked:
        assert weight.grad is not None
        weight.grad.mul_(mask)
    optimizer.step()
    trainee.loss_sum += loss.detach() * len(labels)
    trainee.seen += len(labels)
    trainee.step += 1


def _outputs(network: nn.Module, inputs: Tensor, material: Material, recipe: Recipe) -> Tensor:
    """(N, classes). MethodError where a single image leaves a BatchNorm one value a channel, which has no variance."""
    try:
        outputs: Tensor = network(inputs)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise MethodError(
            f"the last of {len(material.train.labels):,} training images in batches of {recipe.batch_size:,} is alone "
            "in its batch, which leaves a BatchNorm of this network a single value to measure; "
            "choose another batch_size or train_limit"
        ) from error
    return outputs


def _masked_parameters(network: nn.Module, masks: Mapping[str, Tensor]) -> list[tuple[nn.Parameter, Tensor]]:
    """The weights that have something pruned, each with its mask as numbers; their weights are zeroed here."""
    pairs = []
    for name, parameter in network.named_parameters():
        mask = masks.get(name)
        if mask is None or bool(mask.all()):
            continue
        factors = mask.to(parameter.device, parameter.dtype)
        if parameter.dim() == 4 and not parameter.is_contiguous():
            factors = factors.contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            parameter.masked_fill_(factors == 0, 0.0)
        pairs.append((parameter, factors))
    return pairs


def _close_epoch(trainee: Trainee, material: Material, recipe: Recipe) -> None:
    train_loss = float(trainee.loss_sum) / trainee.seen
    _finite("loss", train_loss, trainee.step)
    score = evaluate(trainee.network, material.test, material.normalize)
    _finite("test loss", score.loss, trainee.step)  # of the weights after the last update, which no other loss is of
    trainee.curve.append(
        Point(
            step=trainee.step,
            epoch=trainee.step / recipe.steps_per_epoch,
            lr=learning_rate(recipe, trainee.step - 1),
            train_loss=train_loss,
            test_loss=score.loss,
            top1=score.top1,
        )
    )
    trainee.loss_sum.zero_()
    trainee.seen = 0


def _finite(name: str, loss: float, step: int) -> None:
    if not math.isfinite(loss):
        raise MethodError(f"training diverged: the {name} is {loss} after step {step}")
