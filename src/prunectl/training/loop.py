"""The training loop, for baselines and for every retraining.

Contract: from the same start the same bits follow, wherever the training was stopped and taken up again, for one
device, one version of torch and one number of threads. Pruned weights, and what the optimizer keeps of them, are
exactly zero after every step: their gradients are, before the optimizer sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from prunectl.base.errors import MethodError
from prunectl.base.rng import generator
from prunectl.training.augment import Augmentation
from prunectl.training.evaluate import evaluate
from prunectl.training.pixels import Normalize, memory_format
from prunectl.training.recipe import Recipe, learning_rate

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
    """What is trained and tested on: uint8 images (N, C, H, W) and labels (N,), on the device, in its layout."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
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
    step: int = 0
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    seen: int = 0  # images in `loss_sum`, since the epoch began
    curve: list[Point] = field(default_factory=list)


def begin(network: nn.Module, recipe: Recipe, step: int = 0) -> Trainee:
    """A network at the beginning of a training (or at `step` of it), in its layout, with a fresh optimizer."""
    network.to(memory_format=memory_format(network))
    parameters = list(network.parameters())
    device = parameters[0].device
    return Trainee(
        network=network,
        optimizer=OPTIMIZERS[recipe.optimizer](parameters, recipe),
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
    Raises MethodError if the loss is not finite at the end of an epoch.
    """
    network, optimizer = trainee.network, trainee.optimizer
    masked = _masked_parameters(network, masks)
    count, size = len(material.train_labels), recipe.batch_size
    layout = memory_format(network)
    network.train()
    order, order_epoch = torch.empty(0), -1
    while trainee.step < to_step:
        epoch, index = divmod(trainee.step, recipe.steps_per_epoch)
        if epoch != order_epoch:
            order = torch.randperm(count, generator=generator(seed, "order", epoch))
            order, order_epoch = order.to(material.train_labels.device), epoch
        chosen = order[index * size : (index + 1) * size]
        images = material.train_images[chosen]
        for number, augmentation in enumerate(recipe.augment):
            draws = generator(seed, "augment", trainee.step, number)
            assert isinstance(augmentation, Augmentation)
            images = augmentation.apply(images, draws)
        inputs = material.normalize(images).contiguous(memory_format=layout)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, trainee.step)
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(network(inputs), material.train_labels[chosen])
        loss.backward()  # type: ignore[no-untyped-call]  # missing in the stubs of torch
        for weight, mask in masked:
            assert weight.grad is not None
            weight.grad.mul_(mask)
        optimizer.step()
        trainee.loss_sum += loss.detach() * len(chosen)
        trainee.seen += len(chosen)
        trainee.step += 1
        if index + 1 == recipe.steps_per_epoch or trainee.step == recipe.steps:
            _close_epoch(trainee, material, recipe)
        pulse(trainee)


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
    if train_loss != train_loss or train_loss in (float("inf"), float("-inf")):
        raise MethodError(f"training diverged: the loss is {train_loss} after step {trainee.step}")
    score = evaluate(trainee.network, material.test_images, material.test_labels, material.normalize)
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
